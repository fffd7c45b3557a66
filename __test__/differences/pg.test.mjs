// Where lakebase-native/pg differs from pg on purpose: what it does instead. The same list is in compat/differences.mjs, which sees to it that
// these are differences, and in docs/differences.md.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { after } from 'node:test'
import pg from 'lakebase-native/pg'
import { message, say, startFakeServer } from '../compat/fake-server.mjs'
import { acquireServer } from '../compat/server.mjs'
import { test } from '../support/test.mjs'

const { server, release } = await acquireServer()
const { host, port, user } = server
after(release)

async function connect(t, options = {}) {
  const client = new pg.Client({ host, port, user, database: 'postgres', ...options })
  client.on('error', () => {})
  await client.connect()
  t.after(() => client.end())
  return client
}

/** A client of a server that answers every query with `answer`. */
async function connectToFake(t, answer) {
  const fake = await startFakeServer((socket, { letter }) => {
    if (letter === null) socket.write(say.welcome())
    else if (letter === 'Q') socket.write(answer)
  })
  t.after(() => fake.close())
  return connect(t, { host: fake.host, port: fake.port })
}

test('`await using` ends a pool', async () => {
  const pool = new pg.Pool({ host, port, user })
  await pool[Symbol.asyncDispose]()
  assert.equal(pool.ended, true)
})

test('the pool’s class is called Pool', () => {
  assert.equal(pg.Pool.name, 'Pool')
})

test('more parameters than the protocol can count are refused, and the connection stays', async (t) => {
  const client = await connect(t)
  const values = Array.from({ length: 65_536 }, (_, i) => i)
  await assert.rejects(client.query(`select array[${values.map((i) => `$${i + 1}`).join(',')}] as a`, values), /at most 65535 parameters/)
  assert.deepEqual((await client.query('select $1::int as a', [1])).rows, [{ a: 1 }])
})

test('a value that cannot be sent leaves a named statement usable', async (t) => {
  const client = await connect(t)
  const query = (value) => client.query({ name: 'n', text: 'select $1::text as a', values: [value] })
  const bad = {
    toPostgres() {
      throw new Error('refused')
    },
  }
  await assert.rejects(query(bad), /refused/)
  assert.deepEqual((await query('x')).rows, [{ a: 'x' }])
  await assert.rejects(query(bad), /refused/)
  assert.deepEqual((await query('y')).rows, [{ a: 'y' }])
})

test('a statement may be called like what every object inherits', async (t) => {
  const client = await connect(t)
  for (const name of ['__proto__', 'constructor', 'toString']) {
    for (const value of ['once', 'again']) {
      assert.deepEqual((await client.query({ name, text: 'select $1::text as a', values: [value] })).rows, [{ a: value }])
    }
  }
})

test('binary values arrive as the server sent them', async (t) => {
  const client = await connect(t)
  const bytes = await client.query({
    text: `select '\\xfffe80'::bytea as a`,
    binary: true,
    queryMode: 'extended',
    types: { getTypeParser: () => (value) => value },
  })
  assert.deepEqual(bytes.rows, [{ a: Buffer.from([0xff, 0xfe, 0x80]) }])
  const numbers = await client.query({ text: 'select 200::int2 as a, 255::int4 as b, -1.5::float8 as c', binary: true, queryMode: 'extended' })
  assert.deepEqual(numbers.rows, [{ a: 200, b: 255, c: -1.5 }])
})

test('a `types` object is asked for more parsers than the columns need, and what it gives is used', async (t) => {
  const client = await connect(t)
  const asked = []
  const types = {
    getTypeParser(oid, format) {
      asked.push(oid)
      return (value) => `${oid} ${format} ${value}`
    },
  }
  assert.deepEqual((await client.query({ text: `select 1 as a, 'x'::text as b`, types })).rows, [{ a: '23 text 1', b: '25 text x' }])
  assert.ok(asked.includes(23) && asked.includes(25) && asked.includes(16))
})

test('a query that is on its way is parsed with the parsers it was sent with', async (t) => {
  const client = await connect(t)
  const first = client.query('select 1::int4 as a')
  const second = client.query('select 2::int4 as a')
  client.setTypeParser(23, (value) => `parsed ${value}`)
  assert.deepEqual((await first).rows, [{ a: 1 }])
  assert.deepEqual((await second).rows, [{ a: 'parsed 2' }])
})

test('a query that the server has failed rejects with its error, whatever a parser thinks of the rows before', async (t) => {
  const client = await connect(t)
  client.setTypeParser(23, () => {
    throw new TypeError('cannot parse')
  })
  await assert.rejects(client.query('select 1::int4; select 1/0'), { code: '22012' })
  await assert.rejects(client.query('select 1::int4; select 2'), TypeError)
})

test('rows are read by the last description before their command', async (t) => {
  const columns = (name) => say.rowDescription([{ name }])
  const client = await connectToFake(t, Buffer.concat([columns('a'), say.dataRow(['1']), columns('b'), say.commandComplete('SELECT 1'), say.ready()]))
  assert.deepEqual((await client.query('select 1')).rows, [{ b: '1' }])
})

test('an error of severity FATAL ends the session', async (t) => {
  const client = await connectToFake(t, Buffer.concat([say.error({ S: 'FATAL', C: 'XX000', M: 'fatal' }), say.ready()]))
  await assert.rejects(client.query('select 1'), { severity: 'FATAL' })
  await assert.rejects(client.query('select 1'), /not queryable|terminated/)
})

test('a callback of pool.query() finds its caller\'s async context', async (t) => {
  const pool = new pg.Pool({ host, port, user, database: 'postgres', max: 1 })
  t.after(() => pool.end())
  await pool.query('select 1')
  const store = new AsyncLocalStorage()
  const found = await store.run('caller', () => new Promise((resolve) => pool.query('select 1', () => resolve(store.getStore()))))
  assert.equal(found, 'caller')
})

test('a message that nobody asked for ends the connection, with an error that names it', async (t) => {
  const ready = say.ready()
  for (const [name, stray] of Object.entries({ bindComplete: message('2'), noData: message('n'), readyForQuery: ready, commandComplete: say.commandComplete('SELECT 1') })) {
    const fake = await startFakeServer((socket, { letter }) => {
      if (letter === null) socket.write(say.welcome())
      else if (letter === 'Q') socket.write(Buffer.concat([say.commandComplete('SELECT 0'), ready, stray]))
    })
    t.after(() => fake.close())
    const client = new pg.Client({ host: fake.host, port: fake.port, user, database: 'postgres' })
    await client.connect()
    const errors = []
    client.on('error', (error) => errors.push(error.message))
    const ended = new Promise((resolve) => client.once('end', resolve))
    await client.query('select 1')
    await ended
    assert.deepEqual(errors, [`Received unexpected ${name} message from backend.`])
  }
})
