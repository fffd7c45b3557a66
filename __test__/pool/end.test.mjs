// end(): no new work, the old is finished, everything is closed.
import assert from 'node:assert/strict'
import { createLakebasePool } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range, settle, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const ended = /Cannot use a pool after calling end on the pool/

test('an unused pool ends at once', async () => {
  const pool = app.pool()
  await pool.end()
  assert.deepEqual([pool.ending, pool.ended], [true, true])
})

test('queries and checkouts that were asked for before are served, then it resolves, with every connection closed', async () => {
  const pool = app.pool({ max: 2 })
  const queries = range(50).map((number) => pool.query('select $1::int as number, pg_sleep(0.001)', [number]))
  const checkout = pool.connect()
  const end = pool.end()
  assert.equal(pool.ending, true)
  const client = await checkout
  await client.query('select 1')
  assert.equal(pool.ended, false, 'a client is still out')
  client.release()
  const results = await Promise.all(queries)
  assert.deepEqual(results.map(({ rows }) => rows[0].number), range(50))
  await end
  assert.deepEqual([pool.ended, pool.totalCount, pool.idleCount, pool.waitingCount], [true, 0, 0, 0])
  await until(() => app.emulator.counts.connections.database.open === 0)
})

test('it waits for a client that is out, and for the query that it runs', async () => {
  const pool = app.pool()
  const client = await pool.connect()
  const query = client.query('select pg_sleep(0.05), 1 as one')
  const end = pool.end()
  await settle()
  assert.equal(pool.ended, false)
  assert.equal((await query).rows[0].one, 1)
  client.release()
  await end
})

test('new work is rejected', async () => {
  const pool = app.pool()
  await pool.query('select 1')
  const end = pool.end()
  for (const work of [pool.query('select 1'), pool.connect(), pool.transaction(() => {})]) assert.match((await failureOf(work)).message, ended)
  assert.match((await new Promise((resolve) => pool.query('select 1', resolve))).message, ended)
  assert.match((await new Promise((resolve) => pool.connect(resolve))).message, ended)
  await end
})

test('ending twice is an error', async () => {
  const pool = app.pool()
  const first = pool.end()
  assert.match((await failureOf(pool.end())).message, /more than once/)
  await first
})

test('a callback is called', async () => {
  const pool = createLakebasePool()
  await pool.query('select 1')
  assert.equal(await new Promise((resolve) => pool.end(resolve)), undefined)
})

test('a pool whose database cannot be reached ends', async () => {
  app.emulator.setBlackHole(true, 'database')
  const pool = app.pool({ connectionTimeoutMillis: 300 })
  const query = failureOf(pool.query('select 1'))
  await pool.end()
  assert.equal((await query).name, 'TimeoutError')
})

test('a pool whose connections are silent ends', async () => {
  const pool = app.pool()
  await pool.query('select 1')
  app.emulator.setBlackHole(true, 'database')
  await pool.end()
})

test('await using ends the pool', async () => {
  const pool = createLakebasePool()
  await pool.query('select 1')
  await pool[Symbol.asyncDispose]()
  assert.equal(pool.ended, true)
  await pool[Symbol.asyncDispose]()
})
