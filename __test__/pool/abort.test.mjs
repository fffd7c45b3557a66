// Queries with an AbortSignal: the server cancels them, their connection goes on, nobody else notices.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const forever = 'select pg_sleep(600)'
const running = async (text = 'pg_sleep(600)') => (await app.emulator.query(`select pid from pg_stat_activity where state = 'active' and query like '%${text}%' and pid <> pg_backend_pid()`)).length

/** Resolves when the server runs it. */
const begun = (text) => until(async () => (await running(text)) > 0)

function assertAborted(error, reason) {
  assert.deepEqual([error.name, error.code, error.cause], ['AbortError', 'ABORT_ERR', reason], error.stack)
}

test('a query of the pool: the server cancels it, and its connection is used on', async () => {
  const pool = app.pool({ max: 1 })
  const { pid } = (await pool.query('select pg_backend_pid() as pid')).rows[0]
  const controller = new AbortController()
  const query = failureOf(pool.query({ text: 'select pg_sleep($1)', values: [600], signal: controller.signal }))
  await begun('pg_sleep($1)')
  const reason = new Error('nobody waits any more')
  controller.abort(reason)
  assertAborted(await query, reason)
  assert.equal(await running('pg_sleep($1)'), 0)
  assert.equal((await pool.query('select pg_backend_pid() as pid')).rows[0].pid, pid)
  assert.deepEqual([pool.totalCount, pool.idleCount], [1, 1])
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
})

test('a signal that is aborted already: nothing is sent', async () => {
  const pool = app.pool({ max: 1 })
  await pool.query('create table if not exists sent (one int); truncate sent')
  const query = { text: 'insert into sent values (1)', signal: AbortSignal.abort('no') }
  assertAborted(await failureOf(pool.query(query)), 'no')
  const client = await pool.connect()
  assertAborted(await failureOf(client.query(query)), 'no')
  await new Promise((resolve) => client.query(query, (error) => resolve(assertAborted(error, 'no'))))
  client.release()
  assert.equal((await pool.query('select * from sent')).rowCount, 0)
})

test('AbortSignal.timeout() is the cause', async () => {
  const pool = app.pool()
  const error = await failureOf(pool.query({ text: forever, signal: AbortSignal.timeout(50) }))
  assert.deepEqual([error.name, error.cause.name], ['AbortError', 'TimeoutError'])
})

test('one that waits for a connection is given up at once, and the connection goes to the next', async () => {
  const pool = app.pool({ max: 1 })
  const client = await pool.connect()
  const controller = new AbortController()
  const query = pool.query({ text: 'select 1', signal: controller.signal })
  const next = pool.query('select 2 as two')
  controller.abort()
  assertAborted(await failureOf(query), controller.signal.reason)
  client.release()
  assert.equal((await next).rows[0].two, 2)
  assert.deepEqual([pool.idleCount, pool.waitingCount], [1, 0])
})

test('one that waits behind another query of its client is taken from the queue', async () => {
  const client = await app.pool().connect()
  const controller = new AbortController()
  const first = client.query('select pg_sleep(0.05), 1 as one')
  const second = client.query({ text: 'create table never (one int)', signal: controller.signal })
  const third = client.query("select to_regclass('never') as made")
  controller.abort()
  assertAborted(await failureOf(second), controller.signal.reason)
  assert.equal((await first).rows[0].one, 1)
  assert.equal((await third).rows[0].made, null)
  client.release()
})

test('in a transaction: it fails, as after any error, and what waits behind it runs', async () => {
  const pool = app.pool()
  const client = await pool.connect()
  await client.query('begin')
  const controller = new AbortController()
  const query = failureOf(client.query({ text: forever, signal: controller.signal }))
  const behind = failureOf(client.query('select 1'))
  await begun()
  controller.abort()
  assertAborted(await query, controller.signal.reason)
  assert.equal((await behind).code, '25P02')
  assert.equal(client.getTransactionStatus(), 'E')
  await client.query('rollback')
  assert.equal((await client.query('select 1 as one')).rows[0].one, 1)
  client.release()
})

test('an error of its own, or a result that is there already, is what it gives', async () => {
  const client = await app.pool().connect()
  const controller = new AbortController()
  assert.equal((await failureOf(client.query({ text: 'select 1/0', signal: controller.signal }))).code, '22012')
  assert.equal((await client.query({ text: 'select 1 as one', signal: controller.signal })).rows[0].one, 1)
  assert.equal(getEventListeners(controller.signal, 'abort').length, 0)
  controller.abort()
  assert.equal((await client.query('select 1 as one')).rows[0].one, 1)
  client.release()
})

test('a signal that comes when the query ends never cancels the next one', async () => {
  const pool = app.pool({ max: 1 })
  const client = await pool.connect()
  const outcomes = { done: 0, aborted: 0 }
  for (const round of range(200)) {
    const controller = new AbortController()
    const query = client.query({ text: `select pg_sleep(0.001), ${round} as round`, signal: controller.signal })
    setTimeout(() => controller.abort(), round % 5)
    const [first, next] = await Promise.allSettled([query, client.query(`select ${round} as round`)])
    assert.equal(next.value?.rows[0].round, round, String(next.reason))
    if (first.status === 'fulfilled') outcomes.done++
    else assertAborted(first.reason, controller.signal.reason), outcomes.aborted++
  }
  assert.equal(outcomes.done + outcomes.aborted, 200)
  client.release()
})

test('others who use the pool at the same time are not touched', async () => {
  const pool = app.pool({ max: 4, connectionTimeoutMillis: 0 })
  const aborted = []
  const work = range(300).map(async (number) => {
    const text = number % 3 === 0 ? 'select pg_sleep(0.02), $1::int as number' : 'select $1::int as number'
    if (number % 10 !== 0) return assert.equal((await pool.query(text, [number])).rows[0].number, number)
    const controller = new AbortController()
    setTimeout(() => controller.abort(number), number % 40)
    try {
      assert.equal((await pool.query({ text, values: [number], signal: controller.signal })).rows[0].number, number)
    } catch (error) {
      assertAborted(error, number)
      aborted.push(number)
    }
  })
  await Promise.all(work)
  assert.equal(pool.totalCount, pool.idleCount)
  for (const number of range(20)) assert.equal((await pool.query('select $1::int as number', [number])).rows[0].number, number)
})

test('a server that cannot be asked: the connection is closed, and the pool makes another', async () => {
  const pool = app.pool({ max: 1 })
  const { pid } = (await pool.query('select pg_backend_pid() as pid')).rows[0]
  const controller = new AbortController()
  const query = failureOf(pool.query({ text: 'select pg_sleep(601)', signal: controller.signal }))
  await begun('pg_sleep(601)')
  app.emulator.refuseConnections('database')
  controller.abort()
  assertAborted(await query, controller.signal.reason)
  await app.emulator.acceptConnections('database')
  assert.notEqual((await pool.query('select pg_backend_pid() as pid')).rows[0].pid, pid)
  // Nobody has told the server; it would sleep on.
  await app.emulator.query(`select pg_terminate_backend(${pid})`)
})

test('a transaction is rolled back, and a user\'s query is cancelled, too', async () => {
  const pool = app.pool({ max: 2 })
  const controller = new AbortController()
  const transaction = failureOf(pool.transaction((client) => client.query({ text: forever, signal: controller.signal })))
  const token = app.emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN
  const asUser = failureOf(pool.forUser({ user: 'developer@example.com', token }).query({ text: forever, signal: controller.signal }))
  await until(async () => (await running()) === 2)
  controller.abort()
  assertAborted(await transaction, controller.signal.reason)
  assertAborted(await asUser, controller.signal.reason)
  assert.equal(await running(), 0)
})

test('end() waits for it', async () => {
  const pool = app.pool({ max: 1 })
  const controller = new AbortController()
  const query = failureOf(pool.query({ text: forever, signal: controller.signal }))
  await begun()
  const end = pool.end()
  controller.abort()
  assertAborted(await query, controller.signal.reason)
  await end
})

test('what is no signal is refused', async () => {
  const pool = app.pool()
  const error = await failureOf(async () => pool.query({ text: 'select 1', signal: {} }))
  assert.ok(error instanceof TypeError)
  const emitter = new AbortController()
  assert.equal((await pool.query({ text: 'select 1 as one', signal: emitter.signal })).rows[0].one, 1)
  assert.equal((await pool.query({ text: 'select 1 as one', signal: undefined })).rows[0].one, 1)
  await pool.end()
})
