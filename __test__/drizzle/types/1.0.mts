import { defineRelations, sql } from 'drizzle-orm'
import { drizzle, type NodePgDatabase, type NodePgTransaction } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import type { AnyRelations } from 'drizzle-orm/relations'
import type { Pool, QueryResult } from 'pg'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<Expected>() {
  return <Given,>(_given: Given, _same: Same<Given, Expected>): void => {}
}

const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull() })
const posts = pgTable('posts', { id: integer().primaryKey(), authorId: integer() })
const relations = defineRelations({ users, posts }, (r) => ({
  users: { posts: r.many.posts() },
  posts: { author: r.one.users({ from: r.posts.authorId, to: r.users.id }) },
}))

export async function relational(client: Pool): Promise<void> {
  const db = drizzle({ client, relations, jit: true, paramsInErrors: true })
  const found = await db.query.users.findMany({ with: { posts: true }, columns: { name: true } })
  same<{ name: string; posts: { id: number; authorId: number | null }[] }[]>()(found, true)
  // @ts-expect-error: no such relation
  await db.query.posts.findFirst({ with: { writer: true } })
  await work(db)
  await db.transaction((tx) => inside(tx))
  same<number>()(await generic(db), true)
  same<unknown[][]>()(await db.execute(sql`select 1`, 'arrays'), true)
  same<{ n: number }[]>()(await db.execute<{ n: number }>(sql`select 1`, 'objects'), true)
  same<QueryResult<Record<string, unknown>> | QueryResult<Record<string, unknown>>[]>()(await db.execute(sql`select 1`), true)
}

async function work(db: NodePgDatabase<typeof relations>): Promise<void> {
  same<{ id: number; name: string } | undefined>()(await db.query.users.findFirst(), true)
}

async function inside(tx: NodePgTransaction<typeof relations>): Promise<void> {
  same<{ id: number; name: string }[]>()(await tx.query.users.findMany(), true)
}

async function generic<T extends AnyRelations>(db: NodePgDatabase<T>): Promise<number> {
  return (await db.select({ id: users.id }).from(users)).length
}
