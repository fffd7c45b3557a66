// totalCount, idleCount, waitingCount.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { event, range, settle, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const counts = (pool) => [pool.totalCount, pool.idleCount, pool.waitingCount]

test('total, idle and waiting through the life of a pool', async () => {
  const pool = app.pool({ max: 2 })
  assert.deepEqual(counts(pool), [0, 0, 0])
  const first = await pool.connect()
  assert.deepEqual(counts(pool), [1, 0, 0])
  const second = await pool.connect()
  assert.deepEqual(counts(pool), [2, 0, 0])
  const third = pool.connect()
  const fourth = pool.connect()
  assert.deepEqual(counts(pool), [2, 0, 2])
  first.release()
  const served = await third
  assert.deepEqual(counts(pool), [2, 0, 1])
  second.release()
  const last = await fourth
  served.release()
  assert.deepEqual(counts(pool), [2, 1, 0])
  last.release(true)
  await event(pool, 'remove')
  assert.deepEqual(counts(pool), [1, 1, 0])
  await pool.end()
  assert.deepEqual(counts(pool), [0, 0, 0])
})

test('a connection that is being made counts in the total, its caller does not wait', async () => {
  app.emulator.setBlackHole(true, 'database')
  const pool = app.pool({ max: 3 })
  const clients = [pool.connect(), pool.connect()]
  assert.deepEqual(counts(pool), [2, 0, 0])
  app.emulator.setBlackHole(false, 'database')
  for (const client of await Promise.all(clients)) client.release()
})

test('a query occupies a connection while it runs', async () => {
  const pool = app.pool({ max: 2 })
  await pool.query('select 1')
  const sleeping = pool.query('select pg_sleep(0.1)')
  // As in pg-pool, a caller for whom a connection is idle gets it in the next tick.
  assert.deepEqual(counts(pool), [1, 1, 1])
  await new Promise((resolve) => process.nextTick(resolve))
  assert.deepEqual(counts(pool), [1, 0, 0])
  await sleeping
  await until(() => pool.idleCount === 1)
})

test('never more connections than max, whoever asks', async () => {
  const pool = app.pool({ max: 3 })
  let most = 0
  pool.on('connect', () => (most = Math.max(most, pool.totalCount)))
  await Promise.all(
    range(60).map(async (number) => {
      if (number % 3) return pool.query('select pg_sleep(0.002)')
      const client = await pool.connect()
      await client.query('select pg_sleep(0.002)')
      client.release()
    }),
  )
  await settle()
  assert.equal(most, 3)
  assert.equal(app.emulator.counts.connections.database.opened, 3)
})

test('an unused pool opens nothing', async () => {
  app.pool({ min: 5 })
  await settle()
  assert.equal(app.emulator.counts.connections.database.opened, 0)
  assert.deepEqual(app.calls, { oauth: 0, postgres: 0, database: 0 })
})
