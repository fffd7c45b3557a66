// Connections that end by themselves: the server's restart, a failover, a network that breaks.
import assert from 'node:assert/strict'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { event, events, failureOf, range, settle, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

async function filled(options, count) {
  const pool = app.pool(options)
  const clients = await Promise.all(range(count).map(() => pool.connect()))
  for (const client of clients) client.release()
  return pool
}

test('with an error listener, it gets the error and the client', async () => {
  const pool = await filled({}, 1)
  const lost = event(pool, 'error')
  await app.emulator.terminateConnections()
  const [error, client] = await lost
  assert.equal(error.code, '57P01')
  assert.equal(error.client, client)
  assert.equal(typeof client.processID, 'number')
})

test('without one, it is logged once per connection, and the process lives', async () => {
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool({ max: 2 })
    const clients = [await pool.connect(), await pool.connect()]
    for (const client of clients) client.release()
    let left = 2
    const removed = new Promise((resolve) => pool.on('remove', () => --left === 0 && resolve()))
    await pool.query('select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and usename = current_user')
    await pool.query('select pg_terminate_backend(pg_backend_pid()), pg_sleep(60)').catch(() => {})
    await removed
    console.log((await pool.query('select 1 as one')).rows[0].one)
    await pool.end()
  }
  const { code, stdout, stderr } = await run(main)
  assert.deepEqual([code, stdout], [0, '1\n'])
  const lines = stderr.trim().split('\n')
  assert.ok(lines.length >= 1 && lines.length <= 2, stderr)
  for (const line of lines) assert.match(line, /^lakebase-native: the pool lost an idle connection and has no "error" listener: .*terminat/)
})

test('a client in use without an error listener is logged, and the process lives', async () => {
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool({ max: 1 })
    const client = await pool.connect()
    const ended = new Promise((resolve) => client.once('end', resolve))
    await client.query('select pg_terminate_backend(pg_backend_pid()), pg_sleep(60)').catch((error) => console.log(error.code))
    await ended
    client.release()
    console.log((await pool.query('select 1 as one')).rows[0].one)
    await pool.end()
  }
  const { code, stdout, stderr } = await run(main)
  assert.deepEqual([code, stdout], [0, '57P01\n1\n'])
  assert.match(stderr, /^lakebase-native: /)
})

test("a lone client without one ends the process as node-postgres' does: its callers are told first", async () => {
  const main = async (module) => {
    const { default: pg } = await import(module)
    const { getToken } = await import('lakebase-native')
    const { env } = process
    const ca = await (await import('node:fs/promises')).readFile(env.NODE_EXTRA_CA_CERTS, 'utf8')
    const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = env
    const client = new pg.Client({ host, port, user, database, password: getToken, ssl: { ca } })
    await client.connect()
    await client.query('select pg_terminate_backend(pg_backend_pid()), pg_sleep(60)').catch((error) => console.log(error.code))
    await new Promise((resolve) => client.once('end', resolve))
    console.log('it ended')
  }
  const [ours, theirs] = await Promise.all(['lakebase-native/pg', 'pg'].map((module) => run(main, { args: [module] })))
  assert.deepEqual([ours.code, ours.stdout], [theirs.code, theirs.stdout])
  assert.deepEqual([theirs.code, theirs.stdout], [1, '57P01\n'])
  for (const { stderr } of [ours, theirs]) assert.match(stderr, /Connection terminated unexpectedly/)
})

test('idle connections that were ended cost no query', async () => {
  const pool = await filled({ max: 5 }, 5)
  const removed = events(pool, 'remove', 5)
  assert.ok((await app.emulator.terminateConnections({ idleOnly: true })) >= 5)
  await removed
  assert.equal(pool.totalCount, 0)
  const answers = await Promise.all(range(50).map((number) => pool.query('select $1::int as number', [number])))
  assert.deepEqual(answers.map(({ rows }) => rows[0].number), range(50))
})

test('idle connections that were reset cost no query', async () => {
  const pool = await filled({ max: 5 }, 5)
  const removed = events(pool, 'remove', 5)
  assert.ok(app.emulator.dropConnections('database') >= 5)
  await removed
  const answers = await Promise.all(range(50).map((number) => pool.query('select $1::int as number', [number])))
  assert.deepEqual(answers.map(({ rows }) => rows[0].number), range(50))
})

/** A pool of one whose idle session the server has ended without the pool's knowing: the news is held back on its way. */
async function unknowing() {
  const pool = await filled({ max: 1 }, 1)
  const client = await pool.connect()
  client.release()
  app.emulator.setBlackHole(true, 'database')
  await app.emulator.terminateConnections()
  await until(async () => (await app.emulator.query(`select 1 from pg_stat_activity where pid = ${client.processID}`)).length === 0)
  return pool
}

test('a query on a connection that the server has just ended, unread, goes to another one', async () => {
  await app.emulator.query('create table unread (id int)')
  const pool = await unknowing()
  const answer = pool.query('insert into unread values ($1)', [1])
  await settle()
  app.emulator.setBlackHole(false, 'database')
  assert.equal((await answer).rowCount, 1)
  assert.equal((await app.emulator.query('select count(*) from unread'))[0].count, '1')
})

test('a transaction on a connection that the server has just ended begins on another one', async () => {
  const pool = await unknowing()
  let calls = 0
  const answer = pool.transaction(async (client) => (calls++, (await client.query('select 1 as one')).rows[0].one))
  await settle()
  app.emulator.setBlackHole(false, 'database')
  assert.equal(await answer, 1)
  assert.equal(calls, 1)
})

test('transactions that begin while the news of ended sessions is still on its way do not notice', async () => {
  const pool = app.pool({ max: 6 })
  pool.on('error', () => {})
  for (let round = 0; round < 40; round++) {
    const answers = range(12).map((number) => pool.transaction((client) => client.query('select $1::int as number', [number])))
    assert.deepEqual((await Promise.all(answers)).map(({ rows }) => rows[0].number), range(12))
    await app.emulator.query("select pg_terminate_backend(pid) from pg_stat_activity where backend_type = 'client backend' and state = 'idle'")
  }
})

test('a query that was running gets the error, and is not run again', async () => {
  await app.emulator.query('create table running (id int); create sequence runs')
  const pool = app.pool({ max: 1 })
  const failing = failureOf(pool.query("with once as (select nextval('runs')) insert into running select nextval from once, pg_sleep(60)"))
  await until(async () => (await app.emulator.query("select 1 from pg_stat_activity where wait_event = 'PgSleep'")).length === 1)
  await app.emulator.terminateConnections()
  assert.equal((await failing).code, '57P01')
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  assert.equal((await app.emulator.query('select last_value from runs'))[0].last_value, '1', 'it ran once')
})

test('a network that breaks under a query is a ConnectionError, and the query is not run again', async () => {
  const pool = await filled({ max: 1 }, 1)
  const failing = failureOf(pool.query('select pg_sleep(60)'))
  await until(async () => (await app.emulator.query("select 1 from pg_stat_activity where wait_event = 'PgSleep'")).length === 1)
  app.emulator.dropConnections('database')
  const error = await failing
  assert.equal(error.name, 'ConnectionError')
  assert.equal(error.code, 'ECONNRESET')
  assert.equal((await app.emulator.query("select 1 from pg_stat_activity where wait_event = 'PgSleep' and query like 'select pg_sleep(60)%'")).length <= 1, true)
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('a suspended database that wakes up, in either manner, costs no query', async () => {
  const pool = await filled({ max: 3 }, 3)
  const removed = events(pool, 'remove', 3)
  await app.emulator.suspend()
  await removed
  const answers = await Promise.all(range(10).map((number) => pool.query('select $1::int as number', [number])))
  assert.deepEqual(answers.map(({ rows }) => rows[0].number), range(10))
})

test('a query that had to wait its turn is run elsewhere, too, when its session is ended before it begins', async () => {
  app.emulator.setLatency(60, 'database')
  const pool = app.pool({ max: 1 })
  pool.on('error', () => {})
  const first = await pool.connect()
  first.on('error', () => {})
  const second = pool.connect()
  const query = pool.query('select $1::int as number', [1])
  first.release()
  ;(await second).release()
  await app.emulator.terminateConnections({ idleOnly: true })
  assert.equal((await query).rows[0].number, 1)
})
