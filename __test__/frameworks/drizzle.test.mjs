// drizzle-orm/node-postgres over a pool of this package, and over node-postgres' own pool with this package's tokens.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import pg from 'pg'
import { getCredential, getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { event } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create table drizzle_users (id int primary key, name text not null, profile jsonb, created_at timestamptz)' })

for (const [version, name] of Object.entries({ '0.45': 'drizzle-orm', '1.0': 'drizzle-orm-rc' })) {
  const { eq, sql, TransactionRollbackError } = await import(name)
  const { drizzle } = await import(`${name}/node-postgres`)
  const { integer, jsonb, pgTable, text, timestamp } = await import(`${name}/pg-core`)
  const users = pgTable('drizzle_users', {
    id: integer().primaryKey(),
    name: text().notNull(),
    profile: jsonb(),
    createdAt: timestamp('created_at', { withTimezone: true }),
  })
  const empty = () => app.emulator.query('truncate drizzle_users')

  describe(`drizzle-orm ${version}`, () => {
    test('rows are written and read', async () => {
      await empty()
      const db = drizzle({ client: app.pool() })
      const createdAt = new Date('2020-02-02T02:02:02.020Z')
      const ada = { id: 1, name: 'Ada', profile: { tags: ['a'] }, createdAt }
      assert.deepEqual(await db.insert(users).values(ada).returning(), [ada])
      assert.deepEqual(await db.select().from(users).where(eq(users.name, 'Ada')), [ada])
      const { rows } = await db.execute(sql`select count(*)::int as n from ${users}`)
      assert.deepEqual(rows, [{ n: 1 }])
    })

    test('a transaction runs on one connection, and is rolled back', async () => {
      await empty()
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
      await empty()
      const db = drizzle({ client: app.pool() })
      await db.insert(users).values({ id: 3, name: 'Mary' })
      await assert.rejects(db.insert(users).values({ id: 3, name: 'Mary' }), ({ cause }) => {
        assert.equal(cause.code, '23505')
        assert.equal(cause.constraint, 'drizzle_users_pkey')
        return true
      })
    })

    test('node-postgres’ own pool asks `password: getToken` for each connection, so that it outlives its tokens', async (t) => {
      await empty()
      const pool = new pg.Pool({ ...app.address(), password: getToken, max: 1, idleTimeoutMillis: 0 })
      t.after(() => pool.end())
      const db = drizzle({ client: pool })
      await db.transaction((tx) => tx.insert(users).values({ id: 4, name: 'Joan' }))
      const gone = event(pool, 'error')
      app.emulator.revokeTokens()
      await app.emulator.terminateConnections()
      await gone
      // As it comes about by itself when a token's hour ends.
      await getCredential({}, { refresh: true })
      assert.deepEqual(await db.select({ name: users.name }).from(users), [{ name: 'Joan' }])
      assert.equal(app.calls.postgres, 2)
    })
  })
}
