// What only our driver has.
import { is } from 'drizzle-orm'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import { createLakebasePool, type LakebasePool, type PoolClient, type QueryResult } from 'lakebase-native'
import { drizzle, LakebaseDatabase, type LakebaseClient } from 'lakebase-native/drizzle'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<Expected>() {
  return <Given,>(_given: Given, _same: Same<Given, Expected>): void => {}
}

const users = pgTable('users', { id: integer().primaryKey() })

export async function ours(client: PoolClient): Promise<void> {
  const db = drizzle()
  same<LakebasePool>()(db.$client, true)
  same<LakebasePool>()(drizzle({ connection: { databricksHost: 'https://…', max: 3 } }).$client, true)
  same<LakebasePool>()(drizzle({ logger: true }).$client, true)
  same<LakebasePool>()(drizzle(createLakebasePool(), { logger: true }).$client, true)
  same<PoolClient>()(drizzle(client).$client, true)
  const [rows, written] = await db.batch([db.select().from(users), db.insert(users).values({ id: 1 })])
  same<{ id: number }[]>()(rows, true)
  same<QueryResult<never>>()(written, true)
  // @ts-expect-error: nothing to run
  await db.batch([])
  const given: unknown = db
  if (is(given, LakebaseDatabase)) await given.select().from(users)
  const any: LakebaseClient = client
  drizzle(any)
  // @ts-expect-error: no such option
  drizzle({ connection: { databricksHots: 'https://…' } })
}
