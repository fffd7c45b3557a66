// idleTimeoutMillis and min: which idle connections are closed, and when.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { deploy } from '../support/deployment.mjs'
import { event, events, range, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

async function filled(pool, count) {
  const clients = await Promise.all(range(count).map(() => pool.connect()))
  for (const client of clients) client.release()
  return clients
}

test('connections that are idle for longer are closed, and their sessions end', async () => {
  const pool = app.pool({ idleTimeoutMillis: 50 })
  const removed = events(pool, 'remove', 3)
  await filled(pool, 3)
  await removed
  assert.deepEqual([pool.totalCount, pool.idleCount], [0, 0])
  await until(() => app.emulator.counts.connections.database.open === 0)
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1, 'the pool goes on')
})

test('min connections stay', async () => {
  const pool = app.pool({ idleTimeoutMillis: 50, min: 2 })
  const removed = events(pool, 'remove', 2)
  await filled(pool, 4)
  await removed
  await sleep(200)
  assert.deepEqual([pool.totalCount, pool.idleCount], [2, 2])
})

test('a connection in use is not idle', async () => {
  const pool = app.pool({ idleTimeoutMillis: 30, max: 1 })
  const client = await pool.connect()
  await client.query('select pg_sleep(0.15)')
  assert.equal(pool.totalCount, 1)
  client.release()
  await event(pool, 'remove')
})

test('each use starts the time anew', async () => {
  const idleTimeoutMillis = 1_500
  // A machine that stands still for as long shows nothing: then once more.
  for (let longestMillis = idleTimeoutMillis; longestMillis >= idleTimeoutMillis; ) {
    const pool = app.pool({ idleTimeoutMillis, max: 1 })
    let removed = false
    pool.on('remove', () => (removed = true))
    longestMillis = 0
    for (let use = 0; use < 6; use++) {
      const begin = Date.now()
      await pool.query('select 1')
      await sleep(400)
      longestMillis = Math.max(longestMillis, Date.now() - begin)
    }
    assert.ok(!removed || longestMillis >= idleTimeoutMillis)
  }
})

test('0 keeps idle connections', async () => {
  const pool = app.pool({ idleTimeoutMillis: 0 })
  await filled(pool, 2)
  await sleep(200)
  assert.equal(pool.idleCount, 2)
})
