// Drizzle's own driver takes this package's pools for node-postgres'.
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import { createLakebasePool, type LakebasePool } from 'lakebase-native'
import { Pool } from 'lakebase-native/pg'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<Expected>() {
  return <Given,>(_given: Given, _same: Same<Given, Expected>): void => {}
}

const users = pgTable('users', { id: integer().primaryKey() })

export async function queries(): Promise<void> {
  const pool = createLakebasePool()
  const db = drizzle({ client: pool })
  same<LakebasePool>()(db.$client, true)
  same<{ id: number }[]>()(await db.select().from(users), true)
  const client = await pool.connect()
  await drizzle({ client }).select().from(users)
  await drizzle({ client: new Pool() }).select().from(users)
  const { rowCount } = await db.insert(users).values({ id: 1 })
  same<number | null>()(rowCount, true)
}
