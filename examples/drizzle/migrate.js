// Runs what `drizzle-kit generate` has written, when the app is deployed. Needs neither drizzle-kit nor pg.
import { drizzle } from 'lakebase-native/drizzle'
import { migrate } from 'lakebase-native/drizzle/migrator'

const db = drizzle()
await migrate(db, { migrationsFolder: 'drizzle' })
await db.$client.end()
