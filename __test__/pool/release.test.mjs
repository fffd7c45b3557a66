// Giving a client back.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('a released client is used again', async () => {
  const pool = app.pool({ max: 1 })
  const first = await pool.connect()
  first.release()
  const second = await pool.connect()
  assert.equal(second.processID, first.processID)
  second.release()
})

test('release(error) and release(true) close the connection', async () => {
  const pool = app.pool({ max: 1 })
  const pids = new Set()
  for (const reason of [new Error('bad state'), true]) {
    const client = await pool.connect()
    pids.add(client.processID)
    client.release(reason)
    await event(pool, 'remove')
  }
  assert.equal(pids.size, 2)
  await until(() => app.emulator.counts.connections.database.open === 0)
})

test('release(false) and release(undefined) keep it', async () => {
  const pool = app.pool({ max: 1 })
  for (const reason of [false, undefined, null]) (await pool.connect()).release(reason)
  assert.equal(app.emulator.counts.logins.accepted, 1)
})

test('release(true) does not wait for a query that runs', async () => {
  const pool = app.pool({ max: 1 })
  const client = await pool.connect()
  const running = failureOf(client.query('select pg_sleep(60)'))
  await until(async () => (await app.emulator.query("select 1 from pg_stat_activity where query like '%pg_sleep(60)' and state = 'active'")).length > 0)
  client.release(true)
  assert.match((await running).message, /Connection terminated/)
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('releasing twice throws and harms nobody', async () => {
  const pool = app.pool({ max: 1 })
  const first = await pool.connect()
  first.release()
  assert.throws(() => first.release(), /already been released/)
  const second = await pool.connect()
  assert.equal((await second.query('select 1 as one')).rows[0].one, 1)
  second.release()
  assert.throws(() => second.release(), /already been released/)
})

test('the callback form has a release function', async () => {
  const pool = app.pool({ max: 1 })
  const client = await new Promise((resolve, reject) => pool.connect((error, client, release) => (error ? reject(error) : resolve({ client, release }))))
  assert.equal((await client.client.query('select 1 as one')).rows[0].one, 1)
  client.release()
  await pool.query('select 1')
})

test('client.end() in place of release ends the connection; its place is given up with release', async () => {
  const pool = app.pool({ max: 1 })
  const client = await pool.connect()
  await client.end()
  client.release()
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})
