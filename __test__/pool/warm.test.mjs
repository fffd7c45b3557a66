// warm(): token and connection ahead of the first query.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('it fetches a token and opens one connection, which the first query uses', async () => {
  const pool = app.pool()
  await pool.warm()
  assert.deepEqual([pool.totalCount, pool.idleCount, app.calls.postgres], [1, 1, 1])
  const client = await pool.connect()
  const { processID } = client
  client.release()
  const { rows } = await pool.query('select pg_backend_pid() as pid')
  assert.equal(rows[0].pid, processID)
  assert.deepEqual([pool.totalCount, app.calls.postgres], [1, 1])
})

test('where a connection is open it does nothing', async () => {
  const pool = app.pool()
  const client = await pool.connect()
  await pool.warm()
  assert.equal(pool.totalCount, 1)
  client.release()
})

test('queries need not wait for it', async () => {
  const pool = app.pool({ max: 1 })
  const [, { rows }] = await Promise.all([pool.warm(), pool.query('select 1 as one')])
  assert.deepEqual([rows, pool.totalCount], [[{ one: 1 }], 1])
})

test('it rejects as the first query would, and may be called again', async () => {
  const pool = app.pool()
  app.emulator.faults.api({ kind: 'status', status: 403, times: 1 })
  const failure = await failureOf(pool.warm())
  assert.equal(failure.name, 'AuthenticationError')
  await app.emulator.recover()
  await pool.warm()
  assert.equal(pool.idleCount, 1)
})
