// What is the same in drizzle-orm 0.45 and 1.0.
import { eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { bigint, integer, jsonb, numeric, pgTable, text, timestamp, withReplicas } from 'drizzle-orm/pg-core'
import type { Pool, PoolClient, QueryResult } from 'pg'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<Expected>() {
  return <Given,>(_given: Given, _same: Same<Given, Expected>): void => {}
}

const users = pgTable('users', {
  id: integer().primaryKey(),
  name: text().notNull(),
  age: integer(),
  at: timestamp().notNull().defaultNow(),
  text: timestamp({ mode: 'string' }),
  amount: numeric(),
  big: bigint({ mode: 'bigint' }),
  data: jsonb().$type<{ a: number }>(),
  kind: text({ enum: ['a', 'b'] }),
})
interface User {
  id: number
  name: string
  age: number | null
  at: Date
  text: string | null
  amount: string | null
  big: bigint | null
  data: { a: number } | null
  kind: 'a' | 'b' | null
}
const posts = pgTable('posts', { id: integer().primaryKey(), authorId: integer().notNull() })

export async function queries(pool: Pool, client: PoolClient): Promise<void> {
  const db = drizzle({ client: pool })
  same<Pool>()(db.$client, true)
  same<PoolClient>()(drizzle({ client }).$client, true)
  same<'$client is not available on drizzle.mock()'>()(drizzle.mock().$client, true)

  const all = await db.select().from(users)
  const first: User | undefined = all[0]
  same<string>()(first!.name, true)
  same<(typeof users.$inferSelect)[]>()(all, true)
  same<{ id: number; upper: string }[]>()(await db.select({ id: users.id, upper: sql<string>`upper(${users.name})` }).from(users), true)
  const [joined] = await db.select().from(users).leftJoin(posts, eq(posts.authorId, users.id))
  same<typeof users.$inferSelect>()(joined!.users, true)
  same<typeof posts.$inferSelect | null>()(joined!.posts, true)
  same<number>()(await db.$count(users), true)

  const inserted = await db.insert(users).values({ id: 1, name: 'Ada' })
  same<number | null>()(inserted.rowCount, true)
  same<QueryResult<never>>()(inserted, true)
  same<(typeof users.$inferSelect)[]>()(await db.insert(users).values([{ id: 1, name: 'Ada', kind: 'a' }]).returning(), true)
  same<{ id: number }[]>()(await db.delete(users).returning({ id: users.id }), true)
  same<QueryResult<never>>()(await db.update(users).set({ age: 1 }), true)
  // @ts-expect-error: name is missing
  await db.insert(users).values({ id: 1 })
  // @ts-expect-error: no such kind
  await db.update(users).set({ kind: 'c' })

  const { rows } = await db.execute<{ n: number }>(sql`select 1 as n`)
  same<{ n: number }[]>()(rows, true)

  const find = db.select({ id: users.id }).from(users).where(eq(users.id, sql.placeholder('id'))).prepare('find')
  same<{ id: number }[]>()(await find.execute({ id: 1 }), true)

  const outcome = await db.transaction(
    async (tx) => {
      await tx.transaction(async (nested) => nested.insert(users).values({ id: 2, name: 'Eve' }))
      const [row] = await tx.select().from(users)
      return row!.id
    },
    { isolationLevel: 'serializable', accessMode: 'read only', deferrable: true },
  )
  same<number>()(outcome, true)
  // @ts-expect-error: no such level
  await db.transaction(async () => {}, { isolationLevel: 'none' })

  await migrate(db, { migrationsFolder: 'drizzle' })
  const replicated = withReplicas(db, [drizzle({ client: pool })])
  same<(typeof users.$inferSelect)[]>()(await replicated.select().from(users), true)
  same<typeof db>()(replicated.$primary, true)
}

export function configurations(pool: Pool): void {
  drizzle('postgres://')
  drizzle('postgres://', { logger: true })
  drizzle({ connection: 'postgres://' })
  drizzle({ connection: { max: 3 } })
  drizzle({ client: pool, logger: { logQuery: (_query: string, _params: unknown[]) => {} } })
  // @ts-expect-error: no such option
  drizzle({ client: pool, loger: true })
  // @ts-expect-error: a text
  drizzle({ connection: { database: 3 } })
}
