// client.cancelQuery(): ends what the server is running, over a connection of its own.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { failureOf, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const asleep = () => until(async () => (await app.emulator.query("select 1 from pg_stat_activity where wait_event = 'PgSleep'")).length > 0)

test('a running query is cancelled, and the client goes on', async () => {
  const client = await app.pool().connect()
  const running = failureOf(client.query('select pg_sleep(60)'))
  await asleep()
  await client.cancelQuery()
  assert.equal((await running).code, '57014')
  assert.equal((await client.query('select 1 as one')).rows[0].one, 1)
  client.release()
})

test('inside a transaction it aborts the transaction only', async () => {
  const pool = app.pool()
  const failing = failureOf(
    pool.transaction((client) => Promise.all([client.query('select pg_sleep(60)'), asleep().then(() => client.cancelQuery())])),
  )
  assert.equal((await failing).code, '57014')
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  assert.equal(app.emulator.counts.logins.accepted, 1)
})

test('without a running query nothing happens', async () => {
  const client = await app.pool().connect()
  await client.cancelQuery()
  assert.equal((await client.query('select 1 as one')).rows[0].one, 1)
  client.release()
})

test('a server that cannot be reached is an error, and the connection stays', async () => {
  const client = await app.pool().connect()
  app.emulator.refuseConnections('database')
  assert.equal((await failureOf(client.cancelQuery())).code, 'ECONNREFUSED')
  assert.equal((await client.query('select 1 as one')).rows[0].one, 1)
  client.release()
})
