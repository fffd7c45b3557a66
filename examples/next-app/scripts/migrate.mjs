// Applies the SQL files of drizzle/ that the database does not have yet. Run it before a new version is deployed.
import { drizzle } from 'lakebase-native/drizzle'
import { migrate } from 'lakebase-native/drizzle/migrator'

const db = drizzle()
await migrate(db, { migrationsFolder: 'drizzle' })
await db.$client.end()
