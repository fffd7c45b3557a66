// A connection that cannot be made is told to who waits for it, at once.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const refusal = { code: '42501', message: 'you may not' }

test('several callers of a pool of one all get the error of the one attempt, long before their own bound', async () => {
  app.emulator.faults.database({ kind: 'error', error: refusal })
  const pool = app.pool({ max: 1, connectionTimeoutMillis: 0 })
  const outcomes = await Promise.allSettled([...range(5).map(() => pool.query('select 1')), pool.connect(), pool.query('begin')])
  for (const { reason } of outcomes) assert.equal(reason?.code, '42501')
  assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [0, 0, 0])
})

test('a failed attempt beside working connections costs one caller, and the others are served', async () => {
  const pool = app.pool({ max: 2 })
  const client = await pool.connect()
  app.emulator.faults.database({ kind: 'error', error: refusal, times: 1 })
  const outcomes = await Promise.allSettled(range(4).map(async () => (await pool.connect()).release()))
  assert.deepEqual(outcomes.flatMap(({ reason }) => reason?.code ?? []), ['42501'])
  client.release()
})

test('a callback gets the error, too', async () => {
  app.emulator.faults.database({ kind: 'error', error: refusal })
  const pool = app.pool()
  const byQuery = await new Promise((resolve) => pool.query('select 1', resolve))
  assert.equal(byQuery.code, '42501')
  const [byConnect, client] = await new Promise((resolve) => pool.connect((...values) => resolve(values)))
  assert.equal(byConnect.code, '42501')
  assert.equal(client, undefined)
})

test('the stack of the error leads to who waits', async () => {
  app.emulator.faults.database({ kind: 'error', error: refusal })
  const pool = app.pool()
  const whoQueries = async () => await pool.query('select 1')
  const whoConnects = async () => await pool.connect()
  assert.match((await failureOf(whoQueries)).stack, /whoQueries/)
  assert.match((await failureOf(whoConnects)).stack, /whoConnects/)
})

test('a caller who waits too long for a busy connection gets a TimeoutError; those after it are served', async () => {
  const pool = app.pool({ max: 1, connectionTimeoutMillis: 1_000 })
  const client = await pool.connect()
  const late = await failureOf(pool.connect())
  assert.deepEqual([late.name, late.code, late.message.startsWith('timeout exceeded when trying to connect')], ['TimeoutError', 'CONNECTION_TIMEOUT', true])
  assert.match(late.hint, /max/)
  assert.equal(pool.waitingCount, 0)
  client.release()
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('the pool works again as soon as the database does', async () => {
  const pool = app.pool({ max: 3, connectionTimeoutMillis: 1_000 })
  app.emulator.refuseConnections('database')
  for (const { reason } of await Promise.allSettled(range(10).map(() => pool.query('select 1')))) assert.equal(reason?.code, 'ECONNREFUSED')
  await app.emulator.acceptConnections('database')
  const answers = await Promise.all(range(10).map(() => pool.query('select 1 as one')))
  assert.ok(answers.every(({ rows }) => rows[0].one === 1))
})
