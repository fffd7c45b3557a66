// Queries, checkouts, attempts to connect and token fetches report where they begin and end; nobody who has not subscribed is told.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { createRequire } from 'node:module'
import { Client } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { assertHidden, secretsOf } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

// Not public yet: what is exported will be built on it.
const { subscribe } = createRequire(import.meta.url)('../../dist/core.js')['instrumentation.js']()
const app = deploy()

/** Collects what happens while `work` runs: `[kind, begin, end]`, in the order of the ends. */
async function observed(work) {
  const seen = []
  const subscriber = {}
  for (const kind of ['query', 'checkout', 'connect', 'tokenFetch']) {
    subscriber[kind] = (begin) => (end) => {
      assert.ok(end.millis >= 0)
      seen.push([kind, begin, end])
    }
  }
  const unsubscribe = subscribe(subscriber)
  try {
    await work()
  } finally {
    unsubscribe()
  }
  return seen
}

const only = (seen, kind) => seen.filter(([one]) => one === kind).map(([, begin, end]) => ({ begin, end }))
const serverOf = ({ host, port, database, user }) => ({ host, port, database, user })

test('a query of a pool: server, text, operation, rows, command and connection', async () => {
  const pool = app.pool()
  const seen = await observed(() => pool.query('/* why */ select generate_series(1, $1::int) as n', [3]))
  const [{ begin, end }] = only(seen, 'query')
  assert.deepEqual(begin, {
    server: serverOf(pool.options),
    text: '/* why */ select generate_series(1, $1::int) as n',
    operation: 'SELECT',
    name: undefined,
    connection: undefined,
  })
  assert.equal(end.rows, 3)
  assert.equal(end.command, 'SELECT')
  assert.equal(typeof end.connection, 'number')
  assert.equal(end.error, undefined)
})

test('a query of a client: the connection from the beginning, and the name of a prepared statement', async () => {
  const pool = app.pool()
  const client = await pool.connect()
  const seen = await observed(() => client.query({ name: 'two', text: 'values (1), (2)' }))
  client.release()
  assert.equal(seen.length, 1)
  const [{ begin, end }] = only(seen, 'query')
  assert.equal(begin.name, 'two')
  assert.equal(begin.operation, 'VALUES')
  assert.equal(end.rows, 2)
  assert.equal(begin.connection, end.connection)
})

test('a query that fails: its error', async () => {
  const pool = app.pool()
  const client = await pool.connect()
  for (const queryable of [pool, client]) {
    const seen = await observed(() => failureOf(queryable.query('select 1/0')))
    const [{ end }] = only(seen, 'query')
    assert.equal(end.error.code, '22012')
    assert.equal(end.rows, undefined)
  }
  client.release()
})

test('a query that cannot be sent ends once', async () => {
  const pool = app.pool()
  const circular = {}
  circular.self = circular
  const seen = await observed(() => failureOf(pool.query('select $1::jsonb', [circular])))
  assert.deepEqual(only(seen, 'query').map(({ end }) => end.error.message.split('\n')[0]), ['Converting circular structure to JSON'])
})

test('a stream ends with its last row', async () => {
  const pool = app.pool()
  const client = await pool.connect()
  const seen = await observed(async () => {
    let rows = 0
    for await (const _ of client.stream('select generate_series(1, 5)', [], { batchSize: 2 })) rows++
    assert.equal(rows, 5)
  })
  client.release()
  assert.equal(only(seen, 'query')[0].begin.text, 'select generate_series(1, 5)')
})

test('a checkout: how long it waited, and its error', async () => {
  const pool = app.pool({ max: 1, connectionTimeoutMillis: 200 })
  const seen = await observed(async () => {
    const client = await pool.connect()
    await failureOf(pool.connect())
    client.release()
  })
  const [served, failed] = only(seen, 'checkout')
  assert.equal(typeof served.end.connection, 'number')
  assert.equal(failed.end.error.code, 'CONNECTION_TIMEOUT')
  assert.ok(failed.end.millis >= 150, `${failed.end.millis} ms`)
})

test('connections: those made for queries, for callers and for clients without a pool', async () => {
  const pool = app.pool({ max: 2 })
  const seen = await observed(async () => {
    await pool.query('select 1')
    const clients = [await pool.connect(), await pool.connect()]
    for (const client of clients) client.release()
  })
  const made = only(seen, 'connect')
  assert.equal(made.length, 2)
  assert.equal(new Set(made.map(({ end }) => end.connection)).size, 2)
  assert.deepEqual(made[0].begin.server, serverOf(pool.options))

  const client = new Client({ host: '127.0.0.1', port: 1, user: 'nobody', database: 'none', password: 'x' })
  const refused = only(await observed(() => failureOf(client.connect())), 'connect')
  assert.deepEqual(refused.map(({ begin, end }) => [begin.server.port, end.error.code]), [[1, 'ECONNREFUSED']])
})

test('a token fetch: its method, and its failure', async () => {
  const pool = app.pool()
  pool.clearTokenCache()
  const [fetched] = only(await observed(() => pool.query('select 1')), 'tokenFetch')
  assert.equal(fetched.end.method, 'oauth-m2m')
  assert.ok(fetched.end.expiresAt > new Date())

  const refused = app.pool()
  refused.clearTokenCache()
  app.emulator.faults.api({ kind: 'status', path: '/api/2.0/postgres/credentials', status: 403, times: 1 })
  const [failed] = only(await observed(() => failureOf(refused.query('select 1'))), 'tokenFetch')
  assert.equal(failed.end.error.name, 'AuthenticationError')
})

test('no event holds a secret or a value', async () => {
  const pool = app.pool()
  pool.clearTokenCache()
  const seen = await observed(() => pool.query('select $1::text', ['a value of a parameter']))
  assert.ok(seen.length >= 2)
  assertHidden([...secretsOf(app.emulator), 'a value of a parameter'], JSON.stringify(seen))
})

test('begin is called in the async context of the caller', async () => {
  const storage = new AsyncLocalStorage()
  const contexts = []
  const unsubscribe = subscribe({ query: () => void contexts.push(storage.getStore()) })
  await storage.run('mine', () => app.pool().query('select 1'))
  unsubscribe()
  assert.deepEqual(contexts, ['mine'])
})

test('after unsubscribing nothing is reported, and what began before still ends', async () => {
  const pool = app.pool()
  const ends = []
  const unsubscribe = subscribe({ query: ({ text }) => () => ends.push(text) })
  const first = pool.query('select 1 as before')
  unsubscribe()
  await first
  await pool.query('select 2 as after')
  assert.deepEqual(ends, ['select 1 as before'])
})
