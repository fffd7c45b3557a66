import { relations, type ExtractTablesWithRelations } from 'drizzle-orm'
import { drizzle, type NodePgDatabase, type NodePgTransaction } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import type { Pool } from 'pg'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<Expected>() {
  return <Given,>(_given: Given, _same: Same<Given, Expected>): void => {}
}

const users = pgTable('users', { id: integer().primaryKey(), name: text().notNull() })
const posts = pgTable('posts', { id: integer().primaryKey(), authorId: integer() })
const usersRelations = relations(users, ({ many }) => ({ posts: many(posts) }))
const postsRelations = relations(posts, ({ one }) => ({ author: one(users, { fields: [posts.authorId], references: [users.id] }) }))
const schema = { users, posts, usersRelations, postsRelations }

export async function relational(pool: Pool): Promise<void> {
  const db = drizzle(pool, { schema, casing: 'snake_case' })
  const found = await db.query.users.findMany({ with: { posts: true }, columns: { name: true } })
  same<{ name: string; posts: { id: number; authorId: number | null }[] }[]>()(found, true)
  same<{ id: number; authorId: number | null; author: { id: number; name: string } | null } | undefined>()(await db.query.posts.findFirst({ with: { author: true } }), true)
  // @ts-expect-error: no such relation
  await db.query.posts.findFirst({ with: { writer: true } })
  await work(db)
  await db.transaction((tx) => inside(tx))
  same<number>()(await generic(db), true)
  // @ts-expect-error: another casing
  drizzle(pool, { casing: 'kebab-case' })
}

async function work(db: NodePgDatabase<typeof schema>): Promise<void> {
  same<{ id: number; name: string } | undefined>()(await db.query.users.findFirst(), true)
}

async function inside(tx: NodePgTransaction<typeof schema, ExtractTablesWithRelations<typeof schema>>): Promise<void> {
  same<{ id: number; name: string }[]>()(await tx.query.users.findMany(), true)
}

async function generic<T extends Record<string, unknown>>(db: NodePgDatabase<T>): Promise<number> {
  return (await db.select({ id: users.id }).from(users)).length
}
