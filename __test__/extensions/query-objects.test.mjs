// Query objects that a caller makes: `row`, `end` and `error` as they come.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Client, Query } from 'lakebase-native/pg'
import { deploy } from '../support/deployment.mjs'
import { until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'
import { run } from '../support/child.mjs'
import copyStreams from 'pg-copy-streams'
import { getToken } from 'lakebase-native'

const app = deploy()
const numbers = 'select g as n from generate_series(1, $1::int) g'

test('rows come one by one, then the end with the result', async () => {
  const client = await app.pool().connect()
  const query = client.query(new Query(numbers, [1_000]))
  const rows = []
  query.on('row', (row) => rows.push(row.n))
  const [result] = await once(query, 'end')
  assert.equal(rows.length, 1_000)
  assert.deepEqual([result.rowCount, result.rows.length, result.command], [1_000, 0, 'SELECT'])
  client.release()
})

test('an error, after the rows before it', async () => {
  const client = await app.pool().connect()
  const query = client.query(new Query('select 1 / (500 - g) as n from generate_series(1, 1000) g'))
  let rows = 0
  query.on('row', () => rows++)
  const error = await new Promise((resolve) => query.on('error', resolve))
  assert.equal(error.code, '22012')
  assert.equal(rows, 499)
  assert.deepEqual((await client.query('select 1 as a')).rows, [{ a: 1 }])
  client.release()
})

test('pages of a portal with the option `rows`', async () => {
  const client = await app.pool().connect()
  const query = client.query(new Query({ text: numbers, values: [25], rows: 10 }))
  const rows = []
  query.on('row', (row) => rows.push(row.n))
  await once(query, 'end')
  assert.equal(rows.length, 25)
  assert.deepEqual((await client.query('select 1 as a')).rows, [{ a: 1 }])
  client.release()
})

test('names that a query object prepares are those of ordinary queries', async () => {
  const client = await app.pool().connect()
  const named = { name: 'numbers', text: numbers, values: [2] }
  await once(client.query(new Query(named)), 'end')
  assert.equal((await client.query(named)).rowCount, 2)
  await once(client.query(new Query(named)), 'end')
  assert.equal((await client.query('select count(*)::int as n from pg_prepared_statements where name = $1', ['numbers'])).rows[0].n, 1)
  client.release()
})

test('a client that is given back while a query object runs is used again when it is done', async () => {
  const pool = app.pool({ max: 1 })
  const client = await pool.connect()
  const query = client.query(new Query('select pg_sleep(0.05), pg_backend_pid() as pid'))
  const ended = once(query, 'end')
  client.release()
  assert.equal((await pool.query('select pg_backend_pid() as pid')).rows[0].pid, client.processID)
  await ended
})

test('a connection lost while a query object runs is its error', async () => {
  const pool = app.pool({ max: 1 })
  const client = await pool.connect()
  client.on('error', () => {})
  const query = client.query(new Query(`select g, pg_sleep(0.001) from generate_series(1, 100000) g`))
  const failed = new Promise((resolve) => query.on('error', resolve))
  let rows = 0
  query.on('row', () => rows++)
  await until(() => rows > 0)
  await app.emulator.terminateConnections()
  assert.match((await failed).message, /terminat/)
  client.release()
})

test('a schema change through a query object is seen by cached statements', async () => {
  const pool = app.pool({ max: 1 })
  await pool.query('create table changing (a int)')
  const read = () => pool.query('select * from changing where $1::int is null or true', [1])
  await read()
  const client = await pool.connect()
  await once(client.query(new Query('alter table changing add b int')), 'end')
  await client.query('begin')
  assert.deepEqual((await client.query('select * from changing where $1::int is null or true', [1])).fields.map(({ name }) => name), ['a', 'b'])
  await client.query('commit')
  client.release()
  assert.deepEqual((await read()).fields.map(({ name }) => name), ['a', 'b'])
})

test('client.end() with a copy that nobody reads ends the client', async () => {
  const client = new Client({ ...app.address(), password: getToken })
  await client.connect()
  client.query(copyStreams.to("copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout")).on('error', () => {})
  await until(() => client.connection.stream.readableLength > 0)
  await client.end()
})

test('a process whose client was lost with a copy that nobody reads can exit', async () => {
  const { code, stderr } = await run(async () => {
    const { to } = (await import('pg-copy-streams')).default
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool({ max: 2 })
    pool.on('error', () => {})
    const client = await pool.connect()
    client.on('error', () => {})
    client.query(to("copy (select repeat('x', 1000) from generate_series(1, 100000)) to stdout")).on('error', () => {})
    while (client.connection.stream.readableLength === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await pool.query('select pg_terminate_backend($1)', [client.processID])
    client.release(true)
    await pool.end()
  })
  assert.deepEqual([code, stderr], [0, ''])
})
