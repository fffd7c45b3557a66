// Real libraries over pools of this package.
import { eq } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import { Kysely, PostgresDialect, type Generated } from 'kysely'
import { createLakebasePool } from 'lakebase-native'
import { Client, Pool } from 'lakebase-native/pg'
import Cursor from 'pg-cursor'

const pool = createLakebasePool()
const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull() })

export const db: NodePgDatabase = drizzle(pool)
export const withOptions = drizzle({ client: pool, schema: { users } })
export const overClient = drizzle(new Client())
export const overPool = drizzle(new Pool())
export async function find(id: number): Promise<string | undefined> {
  const inClient = drizzle(await pool.connect())
  const [user] = await inClient.select().from(users).where(eq(users.id, id))
  return user?.name ?? (await withOptions.query.users.findFirst())?.name
}

interface Database {
  users: { id: Generated<number>; name: string }
}
const dialect = new PostgresDialect({ pool, cursor: Cursor, onReserveConnection: async () => {} })
export const kysely = new Kysely<Database>({ dialect })
export const lazily = new Kysely<Database>({ dialect: new PostgresDialect({ pool: async () => pool }) })
export const names = (): Promise<{ name: string }[]> => kysely.selectFrom('users').select('name').execute()
