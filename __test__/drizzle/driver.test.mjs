// What this driver has that Drizzle's for node-postgres has not: pools of its own, batches, transactions that begin again.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { ConfigurationError, LakebasePool, getDatabaseUrl } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'
import { versions } from './support/versions.mjs'

const app = deploy({ sql: 'create table items (id int primary key, name text)' })

for (const [name, { orm, core, drivers }] of Object.entries(versions)) {
  const { drizzle, LakebaseDatabase, LakebaseTransaction } = drivers.ours
  const { is, sql, eq } = orm
  const items = core.pgTable('items', { id: core.integer().primaryKey(), name: core.text() })
  const one = async (db) => (await db.execute(sql`select 1 as one`)).rows

  describe(`drizzle-orm ${name}`, () => {
    test('drizzle() has its settings from the environment', async (t) => {
      const db = drizzle()
      t.after(() => db.$client.end())
      assert.ok(db.$client instanceof LakebasePool)
      assert.deepEqual(await one(db), [{ one: 1 }])
    })

    test('Drizzle’s configuration alone goes with a pool from the environment', async (t) => {
      const lines = []
      const db = drizzle({ logger: { logQuery: (text) => lines.push(text) } })
      t.after(() => db.$client.end())
      await one(db)
      assert.deepEqual(lines, ['select 1 as one'])
    })

    test('a connection’s options are those of createLakebasePool()', async (t) => {
      const db = drizzle({ connection: { max: 3, application_name: 'drizzle-options' } })
      t.after(() => db.$client.end())
      assert.equal(db.$client.options.max, 3)
      const { rows } = await db.execute(sql`show application_name`)
      assert.deepEqual(rows, [{ application_name: 'drizzle-options' }])
      assert.throws(() => drizzle({ connection: { max: -1 } }), ConfigurationError)
    })

    test('a connection string, alone or as an option', async (t) => {
      const url = await getDatabaseUrl()
      for (const db of [drizzle(url), drizzle({ connection: url })]) {
        t.after(() => db.$client.end())
        assert.deepEqual(await one(db), [{ one: 1 }])
      }
    })

    test('a pool or a client, alone or as an option, is $client', async () => {
      const pool = app.pool()
      const client = await pool.connect()
      try {
        for (const given of [pool, client]) {
          for (const db of [drizzle(given), drizzle({ client: given }), drizzle(given, { logger: false })]) {
            assert.equal(db.$client, given)
            assert.deepEqual(await one(db), [{ one: 1 }])
          }
        }
      } finally {
        client.release()
      }
    })

    test('mock() builds queries without a connection', () => {
      const { sql: text, params } = drizzle.mock().select().from(items).where(eq(items.id, 7)).toSQL()
      assert.match(text, /^select "id", "name" from "items" where "items"."id" = \$1$/)
      assert.deepEqual(params, [7])
    })

    test('is() and instanceof know the database and its transactions', async () => {
      const db = drizzle(app.pool())
      assert.ok(is(db, LakebaseDatabase) && db instanceof LakebaseDatabase)
      await db.transaction(async (tx) => assert.ok(is(tx, LakebaseTransaction)))
    })

    test('a batch runs in one transaction, and gives each query’s result', async () => {
      const lines = []
      const db = drizzle(app.pool(), { logger: { logQuery: (text) => lines.push(text) } })
      await db.delete(items)
      lines.length = 0
      const [inserted, found, raw] = await db.batch([
        db.insert(items).values([{ id: 1, name: 'one' }, { id: 2 }]).returning(),
        db.select({ name: items.name }).from(items).where(eq(items.id, 1)),
        db.execute(sql`select count(*)::int as n from ${items}`),
      ])
      assert.deepEqual(inserted, [{ id: 1, name: 'one' }, { id: 2, name: null }])
      assert.deepEqual(found, [{ name: 'one' }])
      assert.deepEqual(raw.rows, [{ n: 2 }])
      assert.equal(lines[0], 'begin')
      assert.equal(lines.at(-1), 'commit')
      assert.equal(lines.length, 5)
    })

    test('of a batch in which a query fails nothing has happened', async () => {
      const pool = app.pool()
      const db = drizzle(pool)
      await db.delete(items)
      const error = await failureOf(db.batch([db.insert(items).values({ id: 1 }), db.insert(items).values({ id: 1 }), db.insert(items).values({ id: 2 })]))
      assert.equal(error.cause.code, '23505')
      assert.deepEqual(await db.select().from(items), [])
      assert.equal(pool.idleCount, pool.totalCount)
    })

    test('a transaction whose BEGIN fails gives its connection back', async () => {
      const pool = app.pool({ max: 1 })
      const db = drizzle(pool)
      const error = await failureOf(db.transaction(() => assert.fail('it began'), { isolationLevel: 'none' }))
      assert.equal(error.cause.code, '42601')
      assert.deepEqual(await one(db), [{ one: 1 }])
    })

    test('a transaction begins on another connection when the server has closed the idle one', async () => {
      const pool = app.pool({ max: 1 })
      const db = drizzle(pool)
      const pid = async (on) => (await on.execute(sql`select pg_backend_pid() as pid`)).rows[0].pid
      const first = await pid(db)
      await app.emulator.query(`select pg_terminate_backend(${first})`)
      const second = await db.transaction(pid)
      assert.notEqual(second, first)
    })

    test('a connection that is lost in a transaction is the error, and the pool goes on', async () => {
      const pool = app.pool({ max: 1 })
      const db = drizzle(pool)
      const lost = await failureOf(
        db.transaction(async (tx) => {
          const { rows } = await tx.execute(sql`select pg_backend_pid() as pid`)
          await app.emulator.query(`select pg_terminate_backend(${rows[0].pid})`)
          await tx.execute(sql`select 2`)
        }),
      )
      assert.equal(lost.query, 'select 2')
      assert.deepEqual(await one(db), [{ one: 1 }])
      assert.equal(pool.idleCount, pool.totalCount)
    })
  })
}
