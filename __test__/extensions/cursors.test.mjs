// pg-cursor and pg-query-stream, unmodified, on clients of createLakebasePool().
import assert from 'node:assert/strict'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf, range } from '../support/outcome.mjs'
import { pgPackage } from '../support/pg-package.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const numbers = 'select g as n from generate_series(1, $1::int) g'

/** A client of a pool of one; the pool must be of use afterwards, on the same connection unless that is `lost`. */
async function withClient(use, { lost = false } = {}) {
  const pool = app.pool({ max: 1, connectionTimeoutMillis: 5_000 })
  pool.on('error', () => {})
  const client = await pool.connect()
  client.on('error', () => {})
  await use(client, pool)
  client.release()
  const { rows } = await pool.query('select pg_backend_pid() as pid')
  assert.equal(rows[0].pid !== client.processID, lost)
  await pool.end()
}

function ns(begin, end) {
  return range(end - begin + 1).map((i) => ({ n: begin + i }))
}

test('a cursor gives its rows in portions, with types parsed', () =>
  withClient(async (client) => {
    const cursor = client.query(new Cursor(numbers, [25]))
    assert.deepEqual(await cursor.read(10), ns(1, 10))
    assert.deepEqual(await cursor.read(10), ns(11, 20))
    assert.deepEqual(await cursor.read(10), ns(21, 25))
    assert.deepEqual(await cursor.read(10), [])
  }))

test('a cursor that is closed early leaves the client usable', () =>
  withClient(async (client) => {
    const cursor = client.query(new Cursor(numbers, [1_000_000]))
    await cursor.read(10)
    await cursor.close()
    assert.deepEqual((await client.query('select 1 as a')).rows, [{ a: 1 }])
  }))

test('two cursors, one behind the other', () =>
  withClient(async (client) => {
    const first = client.query(new Cursor(numbers, [3]))
    const second = client.query(new Cursor(numbers, [2]))
    const later = second.read(10)
    assert.deepEqual(await first.read(2), ns(1, 2))
    assert.deepEqual(await first.read(2), ns(3, 3))
    assert.deepEqual(await later, ns(1, 2))
    await second.close()
    assert.deepEqual((await client.query('select 1 as a')).rows, [{ a: 1 }])
  }))

test('a cursor in a transaction sees what the transaction wrote', () =>
  withClient(async (client) => {
    await client.query('begin')
    await client.query('create temp table t on commit drop as select 5 as n')
    const cursor = client.query(new Cursor('select n from t'))
    assert.deepEqual(await cursor.read(1), [{ n: 5 }])
    await cursor.close()
    assert.equal(client.getTransactionStatus(), 'T')
    await client.query('commit')
    assert.equal(client.getTransactionStatus(), 'I')
  }))

test('an error of the server is the error of the read, and the client is usable', () =>
  withClient(async (client) => {
    const cursor = client.query(new Cursor('select 1 / (15 - g) as n from generate_series(1, 100) g'))
    assert.equal((await cursor.read(10)).length, 10)
    assert.equal((await failureOf(cursor.read(10))).code, '22012')
    assert.deepEqual((await client.query('select 1 as a')).rows, [{ a: 1 }])
  }))

test('a connection lost while a cursor is open fails its reads', () =>
  withClient(
    async (client) => {
      const cursor = client.query(new Cursor(numbers, [1_000_000]))
      const behind = failureOf(client.query('select 1'))
      await cursor.read(10)
      const lost = event(client, 'end')
      await app.emulator.terminateConnections()
      assert.match((await behind).message, /terminat/)
      await lost
      assert.match((await failureOf(cursor.read(10))).message, /terminat/)
    },
    { lost: true },
  ))

test('a connection lost while a cursor is being read fails the read', () =>
  withClient(
    async (client) => {
      const cursor = client.query(new Cursor('select pg_sleep(60)'))
      const reading = failureOf(cursor.read(10))
      await app.emulator.terminateConnections()
      assert.match((await reading).message, /terminat/)
    },
    { lost: true },
  ))

test('a connection lost while a cursor is being closed does not keep it waiting', () =>
  withClient(
    async (client) => {
      const cursor = client.query(new Cursor('select pg_sleep(60)'))
      cursor.read(10).catch(() => {})
      const closed = cursor.close()
      await app.emulator.terminateConnections()
      await closed
    },
    { lost: true },
  ))

test('a client that is given back with an open cursor is closed, and the pool goes on', () =>
  withClient(
    async (client) => {
      const cursor = client.query(new Cursor(numbers, [1_000_000]))
      await cursor.read(10)
    },
    { lost: true },
  ))

test('a client that is given back with a cursor in its queue is closed, and the pool goes on', () =>
  withClient(
    async (client) => {
      client.query('select 1').catch(() => {})
      client.query(new Cursor(numbers, [1_000_000]))
    },
    { lost: true },
  ))

test('destroying the stream beneath ends the connection', () =>
  withClient(
    async (client) => {
      const cursor = client.query(new Cursor(numbers, [1_000_000]))
      await cursor.read(10)
      const reading = failureOf(cursor.read(1_000_000))
      client.connection.stream.destroy()
      assert.match((await reading).message, /terminat/)
    },
    { lost: true },
  ))

test('a client whose stream is destroyed while nothing runs is not used again', () =>
  withClient(async (client) => void client.connection.stream.destroy(), { lost: true }))

test('a query stream gives all rows, through many batches', () =>
  withClient(async (client) => {
    let n = 0
    for await (const row of client.query(new QueryStream(numbers, [20_000], { batchSize: 1_000 }))) assert.equal(row.n, ++n)
    assert.equal(n, 20_000)
  }))

test('a query stream that is left early', () =>
  withClient(async (client) => {
    for await (const { n } of client.query(new QueryStream(numbers, [1_000_000]))) if (n === 150) break
    assert.deepEqual((await client.query('select 1 as a')).rows, [{ a: 1 }])
  }))

test('a query stream through pool.query()', async () => {
  const pool = app.pool({ max: 1 })
  const stream = new QueryStream(numbers, [500])
  const answered = pool.query(stream)
  let n = 0
  for await (const row of stream) assert.equal(row.n, ++n)
  await answered
  assert.equal(n, 500)
  assert.equal(pool.idleCount, 1)
})

test('a connection lost while a query stream is read', () =>
  withClient(
    async (client) => {
      const error = await failureOf(async () => {
        for await (const { n } of client.query(new QueryStream(numbers, [1_000_000]))) if (n === 150) await app.emulator.terminateConnections()
      })
      assert.match(error.message, /terminat/)
    },
    { lost: true },
  ))

test('two query streams at once on two clients', async () => {
  const pool = app.pool({ max: 2 })
  const clients = [await pool.connect(), await pool.connect()]
  const sums = await Promise.all(
    clients.map(async (client) => {
      let sum = 0
      for await (const { n } of client.query(new QueryStream(numbers, [5_000]))) sum += n
      return sum
    }),
  )
  assert.deepEqual(sums, [12_502_500, 12_502_500])
  for (const client of clients) client.release()
})

test('a cursor whose `pg` is a package that stands in for node-postgres', () =>
  withClient(async (client) => {
    const StandIn = pgPackage('pg-cursor')('pg-cursor')
    const cursor = client.query(new StandIn('select $1::date as d, 7 as n, $2::json as j', [new Date(2020, 1, 2), { a: [1] }]))
    assert.deepEqual(await cursor.read(10), [{ d: new Date(2020, 1, 2), n: 7, j: { a: [1] } }])
    await cursor.close()
  }))
