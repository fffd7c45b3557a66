// client.stream(): rows in batches, with backpressure, in bounded memory; leaving early frees the connection.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

/** A client of a pool, given back after `use`. */
async function withClient(use, options) {
  const pool = app.pool(options)
  const client = await pool.connect()
  try {
    return await use(client, pool)
  } finally {
    client.release()
  }
}

async function all(rows) {
  const taken = []
  for await (const row of rows) taken.push(row)
  return taken
}

const numbers = 'select g as n, md5(g::text) as t from generate_series(1, $1::int) g'

test('all rows in order, whatever the size of the batches', () =>
  withClient(async (client) => {
    const expected = (await client.query(numbers, [1_000])).rows
    for (const batchSize of [1, 7, 500, 1_000, 1_001, undefined]) {
      assert.deepEqual(await all(client.stream(numbers, [1_000], { batchSize })), expected, `batchSize ${batchSize}`)
    }
    assert.deepEqual(await all(client.stream(numbers, [0])), [])
  }))

test('rowMode and types are those of query()', () =>
  withClient(async (client) => {
    const types = { getTypeParser: () => (text) => `<${text}>` }
    assert.deepEqual(await all(client.stream('select 1 as a, 2 as a', [], { rowMode: 'array' })), [[1, 2]])
    assert.deepEqual(await all(client.stream('select 1 as a, null as b', [], { types })), [{ a: '<1>', b: null }])
  }))

test('statements without rows, rows without columns, and an empty text', () =>
  withClient(async (client) => {
    assert.deepEqual(await all(client.stream('create temp table t (a int)')), [])
    assert.deepEqual(await all(client.stream('insert into t select generate_series(1, 3) returning a', [], { batchSize: 2 })), [{ a: 1 }, { a: 2 }, { a: 3 }])
    assert.deepEqual(await all(client.stream('select from generate_series(1, 3)', [], { batchSize: 2 })), [{}, {}, {}])
    assert.deepEqual(await all(client.stream('')), [])
    assert.equal((await client.query('select count(*)::int as n from t')).rows[0].n, 3)
  }))

test('leaving early ends the query, and the next one runs', () =>
  withClient(async (client) => {
    for await (const { n } of client.stream(numbers, [100_000], { batchSize: 10 })) if (n === 25) break
    assert.deepEqual((await client.query('select 1 as a')).rows, [{ a: 1 }])
    const stream = client.stream(numbers, [100_000])
    await stream.next()
    await assert.rejects(stream.throw(new Error('enough')), /enough/)
    assert.deepEqual((await client.query('select 2 as a')).rows, [{ a: 2 }])
  }))

test('leaving early inside a transaction leaves the transaction as it is', () =>
  withClient(async (client) => {
    await client.query('begin')
    for await (const { n } of client.stream(numbers, [100_000], { batchSize: 10 })) if (n === 5) break
    assert.equal(client.getTransactionStatus(), 'T')
    assert.deepEqual((await client.query('select count(*)::int as n from pg_cursors')).rows, [{ n: 0 }])
    await client.query('commit')
  }))

test('other queries of the client wait until the stream is read', () =>
  withClient(async (client) => {
    const order = []
    const stream = client.stream(numbers, [30], { batchSize: 10 })
    order.push((await stream.next()).value.n)
    const later = client.query('select 1').then(() => order.push('query'))
    for await (const { n } of stream) order.push(n)
    await later
    assert.deepEqual(order, [...Array.from({ length: 30 }, (_, i) => i + 1), 'query'])
  }))

test('nothing is sent before the first row is asked for', () =>
  withClient(async (client) => {
    client.stream('this is no SQL')
    assert.deepEqual((await client.query('select 1 as a')).rows, [{ a: 1 }])
  }))

test('an error of the server comes after the rows before it, and the client is usable', () =>
  withClient(async (client) => {
    const rows = []
    const error = await failureOf(
      (async () => {
        for await (const row of client.stream('select 1 / (25 - g) as a from generate_series(1, 100) g', [], { batchSize: 10 })) rows.push(row)
      })(),
    )
    assert.equal(error.code, '22012')
    assert.equal(rows.length, 20)
    const unsendable = await failureOf(all(client.stream('select $1', [{ toPostgres: () => { throw new Error('no value') } }])))
    assert.equal(unsendable.message, 'no value')
    assert.equal((await failureOf(all(client.stream('selec')))).code, '42601')
    assert.deepEqual((await client.query('select 1 as a')).rows, [{ a: 1 }])
  }))

test('what a parser throws is the error of the stream; the query is ended', () =>
  withClient(async (client) => {
    const types = { getTypeParser: () => () => { throw new Error('cannot parse') } }
    const error = await failureOf(all(client.stream(numbers, [100_000], { types, batchSize: 10 })))
    assert.equal(error.message, 'cannot parse')
    assert.deepEqual((await client.query('select 1 as a')).rows, [{ a: 1 }])
  }))

test('a connection that is lost ends the stream with an error, wherever it is', async () => {
  const pool = app.pool()
  pool.on('error', () => {})
  for (const batchSize of [10, 100_000]) {
    const client = await pool.connect()
    client.on('error', () => {})
    const stream = client.stream(`select g, pg_sleep(0.0001) from generate_series(1, 100000) g`, [], { batchSize })
    const first = stream.next()
    if (batchSize === 10) await first
    await app.emulator.terminateConnections()
    assert.match((await failureOf(Promise.all([first, all(stream)]))).message, /terminat/)
    client.release()
  }
  assert.deepEqual((await pool.query('select 1 as a')).rows, [{ a: 1 }])
})

test('a client that is released in the middle of a stream is closed, and the pool goes on', async () => {
  const pool = app.pool({ max: 1 })
  const client = await pool.connect()
  await client.stream(numbers, [100_000], { batchSize: 10 }).next()
  client.release()
  const { rows } = await pool.query('select pg_backend_pid() as pid')
  assert.notEqual(rows[0].pid, client.processID)
})

test('batchSize must be a whole number of at least 1', () =>
  withClient(async (client) => {
    for (const batchSize of [0, -1, 1.5, NaN, '10', 2 ** 31]) assert.throws(() => client.stream('select 1', [], { batchSize }), RangeError)
  }))

test('a reader that takes its time holds the server up, not the memory', () =>
  withClient(async (client) => {
    // Every row counts: the server makes one only when it sends it.
    await client.query('create temp sequence made')
    const stream = client.stream("select nextval('made')::int as n from generate_series(1, 100000)", [], { batchSize: 10 })
    for (let i = 0; i < 15; i++) await stream.next()
    await sleep(100)
    await stream.return()
    const { last } = (await client.query('select last_value::int as last from made')).rows[0]
    assert.ok(last <= 40, `${last} rows were made for 15 that were taken`)
  }))
