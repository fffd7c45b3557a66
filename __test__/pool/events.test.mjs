// connect, acquire, release, remove, error: when, with what.
import assert from 'node:assert/strict'
import { Client } from 'lakebase-native'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { event, settle, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

/** Logs a pool's events; clients by their order of appearance. */
function watch(pool) {
  const log = []
  const clients = []
  const number = (client) => {
    assert.ok(client instanceof Client, 'the client is an argument')
    if (!clients.includes(client)) clients.push(client)
    return clients.indexOf(client)
  }
  pool.on('connect', (client) => log.push(`connect ${number(client)}`))
  pool.on('acquire', (client) => log.push(`acquire ${number(client)}`))
  pool.on('release', (error, client) => log.push(`release ${number(client)}${error ? ` ${error.message ?? error}` : ''}`))
  pool.on('remove', (client) => log.push(`remove ${number(client)}`))
  pool.on('error', (error, client) => log.push(`error ${number(client)} ${error.code}`))
  return log
}

test('a checkout: connect, acquire, release; on reuse no connect', async () => {
  const pool = app.pool()
  const log = watch(pool)
  for (let use = 0; use < 2; use++) (await pool.connect()).release()
  assert.deepEqual(log, ['connect 0', 'acquire 0', 'release 0', 'acquire 0', 'release 0'])
})

test('a query has the same events', async () => {
  const pool = app.pool()
  const log = watch(pool)
  await pool.query('select 1')
  await pool.query('select $1::int', [1])
  await settle()
  assert.deepEqual(log, ['connect 0', 'acquire 0', 'release 0', 'acquire 0', 'release 0'])
})

test('release(error) and release(true) pass what they were given, and the client is removed', async () => {
  const pool = app.pool()
  const log = watch(pool)
  ;(await pool.connect()).release(new Error('bad state'))
  await event(pool, 'remove')
  ;(await pool.connect()).release(true)
  await event(pool, 'remove')
  assert.deepEqual(log, ['connect 0', 'acquire 0', 'release 0 bad state', 'remove 0', 'connect 1', 'acquire 1', 'release 1 true', 'remove 1'])
})

test('an idle connection that is lost: error with the client, then remove', async () => {
  const pool = app.pool()
  const log = watch(pool)
  ;(await pool.connect()).release()
  const removed = event(pool, 'remove')
  await app.emulator.terminateConnections()
  await removed
  assert.deepEqual(log.slice(3), ['error 0 57P01', 'remove 0'])
})

test('a connection that is lost in the hands of a caller is an error of its client, not of the pool', async () => {
  const pool = app.pool()
  const log = watch(pool)
  const client = await pool.connect()
  const lost = event(client, 'error')
  await app.emulator.terminateConnections()
  assert.equal((await lost)[0].code, '57P01')
  client.release()
  await until(() => log.includes('remove 0'))
  assert.ok(!log.some((entry) => entry.startsWith('error')), log.join())
})

test('end() removes every client', async () => {
  const pool = app.pool()
  const clients = [await pool.connect(), await pool.connect()]
  for (const client of clients) client.release()
  const log = watch(pool)
  await pool.end()
  assert.deepEqual(log.sort(), ['remove 0', 'remove 1'])
})

test("an exception in a callback is the process's, as in node-postgres, and the pool goes on", async () => {
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool()
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve))
    pool.query('select 1', () => {
      throw new Error('a callback failed')
    })
    console.log((await caught).message)
    console.log((await pool.query('select $1::int as number', [1])).rows[0].number)
    await pool.end()
  }
  const { code, stdout } = await run(main)
  assert.deepEqual([code, stdout.trim().split('\n')], [0, ['a callback failed', '1']])
})
