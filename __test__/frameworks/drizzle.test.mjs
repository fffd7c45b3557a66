// Drizzle over a pool of this package, through its driver for node-postgres.
import assert from 'node:assert/strict'
import { eq, sql, TransactionRollbackError } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, jsonb, pgTable, text, timestamp } from 'drizzle-orm/pg-core'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const users = pgTable('drizzle_users', {
  id: integer().primaryKey(),
  name: text().notNull(),
  profile: jsonb(),
  createdAt: timestamp('created_at', { withTimezone: true }),
})
const app = deploy({ sql: 'create table drizzle_users (id int primary key, name text not null, profile jsonb, created_at timestamptz)' })

test('rows are written and read', async () => {
  const db = drizzle(app.pool())
  const createdAt = new Date('2020-02-02T02:02:02.020Z')
  const ada = { id: 1, name: 'Ada', profile: { tags: ['a'] }, createdAt }
  assert.deepEqual(await db.insert(users).values(ada).returning(), [ada])
  assert.deepEqual(await db.select().from(users).where(eq(users.name, 'Ada')), [ada])
  const { rows } = await db.execute(sql`select count(*)::int as n from ${users}`)
  assert.deepEqual(rows, [{ n: 1 }])
})

test('a transaction runs on one connection, and is rolled back', async () => {
  const pool = app.pool({ max: 2 })
  const db = drizzle({ client: pool })
  const pids = new Set()
  const work = db.transaction(async (tx) => {
    for (let i = 0; i < 3; i++) pids.add((await tx.execute(sql`select pg_backend_pid() as pid`)).rows[0].pid)
    await tx.insert(users).values({ id: 2, name: 'Grace' })
    tx.rollback()
  })
  await assert.rejects(work, TransactionRollbackError)
  assert.equal(pids.size, 1)
  assert.deepEqual(await db.select().from(users).where(eq(users.id, 2)), [])
  assert.equal(pool.idleCount, pool.totalCount)
})

test('an error carries the server’s fields', async () => {
  const db = drizzle(app.pool())
  await db.insert(users).values({ id: 3, name: 'Mary' })
  await assert.rejects(db.insert(users).values({ id: 3, name: 'Mary' }), ({ cause }) => {
    assert.equal(cause.code, '23505')
    assert.equal(cause.constraint, 'drizzle_users_pkey')
    return true
  })
})
