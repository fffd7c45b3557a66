// What an app does with every new connection: the `connect` event, onConnect, verify. It comes before anyone's query.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const searchPath = async (queryable) => (await queryable.query("select current_setting('search_path') as path, pg_backend_pid() as pid")).rows[0]

test("a connect listener's queries run before anyone else's on that connection", async () => {
  const pool = app.pool({ max: 4 })
  pool.on('connect', (client) => {
    client.query('set search_path to shop')
    client.query('select pg_sleep(0.02)')
    client.query('set application_name to prepared')
  })
  const settings = "select current_setting('search_path') as path, current_setting('application_name') as name, pg_sleep(0.001)"
  const answers = await Promise.all(range(40).map(() => pool.query(settings)))
  for (const { rows } of answers) assert.deepEqual([rows[0].path, rows[0].name], ['shop', 'prepared'])
  const client = await pool.connect()
  assert.equal((await searchPath(client)).path, 'shop')
  client.release()
})

test('a listener that is added later prepares later connections', async () => {
  const pool = app.pool({ max: 2 })
  const first = await pool.connect()
  pool.on('connect', (client) => void client.query('set search_path to later'))
  const second = await pool.connect()
  assert.equal((await searchPath(second)).path, 'later')
  for (const client of [first, second]) client.release()
})

test('onConnect is awaited, once per connection', async () => {
  const prepared = []
  const pool = app.pool({
    max: 2,
    onConnect: async (client) => {
      await new Promise((resolve) => setTimeout(resolve, 10))
      await client.query('set search_path to hooked')
      prepared.push(client.processID)
    },
  })
  const answers = await Promise.all(range(20).map(() => searchPath(pool)))
  assert.ok(answers.every(({ path }) => path === 'hooked'))
  // One that was prepared last may have come too late for a query.
  assert.ok(answers.every(({ pid }) => prepared.includes(pid)))
  assert.equal(new Set(prepared).size, prepared.length)
})

test('what onConnect throws is what the waiting caller gets; the connection is closed', async () => {
  const thrown = new Error('not this one')
  let calls = 0
  const pool = app.pool({
    max: 1,
    onConnect: () => {
      if (++calls === 1) throw thrown
    },
  })
  assert.equal(await failureOf(pool.query('select 1')), thrown)
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  assert.equal(calls, 2)
  assert.equal(pool.totalCount, 1)
})

test('a connection that ends while it is being prepared is replaced; whoever waits does not notice', async () => {
  const ask = (queryable) => queryable.query('select 1 as one')
  const askClient = async (pool) => {
    const client = await pool.connect()
    return ask(client).finally(() => client.release())
  }
  for (const use of [ask, askClient]) {
    let calls = 0
    // The session ends within its statement: without the sleep it may answer first.
    const onConnect = (client) => (++calls <= 2 ? client.query('select pg_terminate_backend(pg_backend_pid()), pg_sleep(60)') : undefined)
    const pool = app.pool({ max: 1, onConnect })
    assert.equal((await use(pool)).rows[0].one, 1)
    assert.deepEqual([calls, pool.totalCount], [3, 1])
  }
})

test('verify decides whether a connection goes into service', async () => {
  let calls = 0
  const pool = app.pool({ max: 1, verify: (_client, done) => done(++calls === 1 ? new Error('unfit') : undefined) })
  assert.match((await failureOf(pool.query('select 1'))).message, /unfit/)
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('a query of a connect listener that fails is its own affair', async () => {
  const pool = app.pool({ max: 1 })
  const failure = new Promise((resolve) => pool.on('connect', (client) => client.query('select nonsense').catch(resolve)))
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  assert.equal((await failure).code, '42703')
})

test('type parsers that onConnect gives to a client hold for every query, from the first on', async () => {
  const pool = app.pool({
    max: 3,
    onConnect: async (client) => {
      await client.query('select 1')
      client.setTypeParser(20, (text) => `int8 ${text}`)
    },
  })
  const answers = await Promise.all(range(20).map((n) => pool.query('select $1::int8 as n', [n])))
  assert.deepEqual(answers.map(({ rows }) => rows[0].n), range(20).map((n) => `int8 ${n}`))
})

test('the same of those that a connect listener gives', async () => {
  const pool = app.pool({ max: 3 })
  pool.on('connect', async (client) => {
    await client.query('select 1')
    client.setTypeParser(20, (text) => `int8 ${text}`)
  })
  const answers = await Promise.all(range(20).map((n) => pool.query('select $1::int8 as n', [n])))
  assert.deepEqual(answers.map(({ rows }) => rows[0].n), range(20).map((n) => `int8 ${n}`))
})
