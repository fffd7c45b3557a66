// What programs can see of node-postgres' inside, and find otherwise here: the protocol is spoken in Rust.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import theirs from 'pg'
import ours from 'lakebase-native/pg'
import { run } from '../support/child.mjs'
import { postgres } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

const server = await postgres({ host: '127.0.0.1' })
after(() => server.stop())
const config = (options) => ({ host: server.host, port: server.port, user: server.superuser, database: 'postgres', ...options })

/** What both give, one after the other. */
async function both(ask) {
  return { pg: await ask(theirs), ours: await ask(ours) }
}

test('messages of the protocol are events of pg\'s connection; here those of the login, and those that a query class needs', async () => {
  const heard = await both(async (pg) => {
    const client = new pg.Client(config())
    const seen = new Set()
    for (const name of ['parameterStatus', 'backendKeyData', 'rowDescription', 'dataRow', 'commandComplete', 'readyForQuery', 'end']) {
      client.connection.on(name, () => seen.add(name))
    }
    await client.connect()
    await client.query('select 1')
    await client.end()
    return [...seen].sort()
  })
  assert.deepEqual(heard.pg, ['backendKeyData', 'commandComplete', 'dataRow', 'end', 'parameterStatus', 'readyForQuery', 'rowDescription'])
  // At the connection's end, whoever waits for a ReadyForQuery is let go.
  assert.deepEqual(heard.ours, ['backendKeyData', 'end', 'parameterStatus', 'readyForQuery'])
})

test('drain comes after each query of a client; a query that Rust runs for the pool gives none', async () => {
  const counts = await both(async (pg) => {
    const pool = new pg.Pool(config({ max: 1 }))
    let drains = 0
    const client = await pool.connect()
    client.on('drain', () => drains++)
    await client.query('select 1')
    client.release()
    for (let i = 0; i < 3; i++) await pool.query('select 1')
    await pool.end()
    return drains
  })
  assert.deepEqual(counts, { pg: 4, ours: 1 })
})

test('a replaced end() of Client.prototype is called by pg\'s pool; a replaced connect() by both', async () => {
  const calls = await both(async (pg) => {
    const seen = []
    const { connect, end } = pg.Client.prototype
    pg.Client.prototype.connect = function (...args) {
      seen.push('connect')
      return connect.apply(this, args)
    }
    pg.Client.prototype.end = function (...args) {
      seen.push('end')
      return end.apply(this, args)
    }
    try {
      const pool = new pg.Pool(config({ max: 1 }))
      await pool.query('select 1')
      await pool.end()
    } finally {
      Object.assign(pg.Client.prototype, { connect, end })
    }
    return seen
  })
  assert.deepEqual(calls, { pg: ['connect', 'end'], ours: ['connect'] })
})

test('a process ends under a query of a connection that was unref\'ed; here when it is answered', async () => {
  const printed = await both(async (pg) => {
    const main = async (name, options) => {
      const { Client } = (await import(name)).default
      const client = new Client(options)
      await client.connect()
      client.unref()
      client.query('select pg_sleep(0.2)').then(() => {
        console.log('answered')
        return client.end()
      })
    }
    const { code, stdout } = await run(main, { args: [pg === theirs ? 'pg' : 'lakebase-native/pg', config()] })
    return [code, stdout.trim()]
  })
  assert.deepEqual(printed, { pg: [0, ''], ours: [0, 'answered'] })
})

test('values that change after pool.query() was called are sent changed by pg, as they were here', async () => {
  const sent = await both(async (pg) => {
    const pool = new pg.Pool(config({ max: 1 }))
    await pool.query('select 1')
    const values = ['before']
    const answer = pool.query('select $1::text as value', values)
    values[0] = 'after'
    const { rows } = await answer
    await pool.end()
    return rows[0].value
  })
  assert.deepEqual(sent, { pg: 'after', ours: 'before' })
})

test('members whose names begin with an underscore are not all there', async () => {
  const members = await both(async (pg) => {
    const pool = new pg.Pool(config({ max: 1 }))
    const client = await pool.connect()
    const found = ['_clients', '_idle', '_pendingQueue'].filter((name) => name in pool).concat(['_queryQueue', '_activeQuery', '_txStatus'].filter((name) => name in client))
    client.release()
    await pool.end()
    return found
  })
  assert.deepEqual(members, { pg: ['_clients', '_idle', '_pendingQueue', '_queryQueue', '_activeQuery', '_txStatus'], ours: [] })
})
