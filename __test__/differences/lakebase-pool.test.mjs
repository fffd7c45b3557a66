// What createLakebasePool() does on purpose where node-postgres' pool does something else. Each in detail is in the area it belongs to
// (__test__/pool, __test__/configuration); here both are asked the same.
import assert from 'node:assert/strict'
import theirs from 'pg'
import { getToken } from 'lakebase-native'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf, range, settle, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create table busy (id int)' })

/** A pool of each kind. */
function pools(t, options) {
  const pg = new theirs.Pool({ ...app.address(), password: getToken, ...options })
  t.after(() => pg.ending || pg.end())
  const pair = { pg, ours: app.pool(options) }
  for (const pool of Object.values(pair)) pool.on('error', () => {})
  return pair
}

const UNTRUSTED = /^(UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT_LOCALLY)$/

const pid = async (queryable) => (await queryable.query('select pg_backend_pid() as pid')).rows[0].pid
const backends = (id) => app.emulator.query(`select 1 from pg_stat_activity where pid = ${id}`)

test('plain reads on a busy connection: those of pg wait, ours are on their way', async (t) => {
  /** How many are answered when the server runs the last one. */
  const answered = {}
  for (const [who, pool] of Object.entries(pools(t, { max: 1 }))) {
    const read = async () => {
      const { rows } = await pool.query('select clock_timestamp() as at, count(*) from busy')
      return { ran: rows[0].at.getTime(), answered: Date.now() }
    }
    await read()
    app.emulator.setLatency(100, 'database')
    const answers = await Promise.all(range(10).map(read))
    answered[who] = answers.filter((answer) => answer.answered <= answers[9].ran).length
    app.emulator.setLatency(0, 'database')
  }
  assert.equal(answered.pg, 9, 'each waits for the answer to the one before')
  assert.ok(answered.ours < 9, 'none waits')
})

test('a query that fails: pg closes its connection, ours stays', async (t) => {
  const kept = {}
  for (const [who, pool] of Object.entries(pools(t, { max: 1 }))) {
    const first = await pid(pool)
    assert.equal((await failureOf(pool.query('select 1/0'))).code, '22012')
    kept[who] = (await pid(pool)) === first
  }
  assert.deepEqual(kept, { pg: false, ours: true })
})

test('a query that fails in a transaction: both close the connection', async (t) => {
  for (const pool of Object.values(pools(t, { max: 1 }))) {
    const first = await pid(pool)
    await pool.query('begin')
    await failureOf(pool.query('select 1/0'))
    assert.notEqual(await pid(pool), first)
  }
})

test('a lost idle connection without an error listener: pg ends the process, ours says so', async () => {
  const main = async (ours) => {
    const { createLakebasePool, getToken } = await import('lakebase-native')
    const { default: pg } = await import('pg')
    const { env } = process
    const ca = await (await import('node:fs/promises')).readFile(env.NODE_EXTRA_CA_CERTS, 'utf8')
    const { PGHOST: host, PGPORT: port, PGUSER: user, PGDATABASE: database } = env
    const make = (options) => ours ? createLakebasePool(options) : new pg.Pool({ host, port, user, database, password: getToken, ssl: { ca }, ...options })
    const pool = make({ max: 1, application_name: 'lost' })
    const removed = new Promise((resolve) => pool.once('remove', resolve))
    await pool.query('select 1')
    const other = make({ max: 1 })
    await other.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lost'`)
    await removed
    // An 'error' that nobody hears is thrown behind 'remove'.
    await new Promise((resolve) => setImmediate(resolve))
    console.log((await pool.query('select 1 as one')).rows[0].one)
    await Promise.all([pool.end(), other.end()])
  }
  const [pg, ours] = [await run(main, { args: [false] }), await run(main, { args: [true] })]
  assert.deepEqual([pg.code, pg.stdout], [1, ''])
  assert.match(pg.stderr, /Unhandled 'error' event/)
  assert.deepEqual([ours.code, ours.stdout], [0, '1\n'])
  assert.match(ours.stderr, /^lakebase-native: the pool lost an idle connection and has no "error" listener: .*terminat/)
})

test('a session that was ended before a query came to it: in pg the query fails, ours runs elsewhere', async (t) => {
  const outcomes = {}
  for (const [who, pool] of Object.entries(pools(t, { max: 1 }))) {
    const id = await pid(pool)
    // The news of the end is held back on its way.
    app.emulator.setBlackHole(true, 'database')
    await app.emulator.query(`select pg_terminate_backend(${id})`)
    await until(async () => (await backends(id)).length === 0)
    // With values: of the simple protocol's queries nothing tells whether they had begun.
    const outcome = pool.query('select $1::int as one', [1]).then(({ rows }) => rows[0].one, (error) => error.code ?? error.message)
    await settle()
    app.emulator.setBlackHole(false, 'database')
    outcomes[who] = await outcome
  }
  assert.deepEqual(outcomes, { pg: '57P01', ours: 1 })
})

test('a session that was ended under a query: it fails in both', async (t) => {
  for (const pool of Object.values(pools(t, { max: 1 }))) {
    const id = await pid(pool)
    const failing = failureOf(pool.query('select pg_sleep(60)'))
    await until(async () => (await app.emulator.query(`select 1 from pg_stat_activity where pid = ${id} and wait_event = 'PgSleep'`)).length === 1)
    await app.emulator.query(`select pg_terminate_backend(${id})`)
    assert.equal((await failing).code, '57P01')
  }
})

test('end() with callers in the queue: those of pg wait for ever, ours are served first', async (t) => {
  const served = {}
  for (const [who, pool] of Object.entries(pools(t, { max: 1 }))) {
    const client = await pool.connect()
    const callers = [pool.query('select 1'), pool.connect().then((other) => other.release())]
    served[who] = 0
    for (const caller of callers) caller.then(() => served[who]++)
    const removed = event(pool, 'remove')
    const end = pool.end()
    client.release()
    await Promise.all([end, removed])
    await settle()
  }
  assert.deepEqual(served, { pg: 0, ours: 2 })
})

/** How a first query ends in pools of each kind that know neither the emulator's authority nor another way than these options. */
async function untrusted(t, optionsOf) {
  const options = optionsOf(await getToken())
  app.environment({ NODE_EXTRA_CA_CERTS: undefined })
  const outcome = (pool) => pool.query('select 1').then(() => 'encrypted', ({ code }) => (UNTRUSTED.test(code) ? 'not trusted' : code))
  const pg = new theirs.Pool(options)
  t.after(() => pg.end())
  return { pg: await outcome(pg), ours: await outcome(app.pool(options)) }
}

for (const [mode, pg, ours] of [
  ['require', 'not trusted', 'not trusted'],
  ['verify-full', 'not trusted', 'not trusted'],
  ['prefer', 'not trusted', 'encrypted'],
  ['no-verify', 'encrypted', 'encrypted'],
]) {
  test(`sslmode=${mode} and an unknown authority: ${pg} in pg, ${ours} in ours`, async (t) => {
    const { host, port, user, database } = app.address()
    const connectionString = (token) => `postgres://${user}:${encodeURIComponent(token)}@${host}:${port}/${database}?sslmode=${mode}`
    assert.deepEqual(await untrusted(t, (token) => ({ connectionString: connectionString(token) })), { pg, ours })
  })
}

for (const [ssl, outcome] of [
  [{ rejectUnauthorized: false }, 'encrypted'],
  [{ rejectUnauthorized: true }, 'not trusted'],
  [true, 'not trusted'],
]) {
  test(`ssl: ${JSON.stringify(ssl)} and an unknown authority: ${outcome} in both`, async (t) => {
    assert.deepEqual(await untrusted(t, (password) => ({ ...app.address(), password, ssl })), { pg: outcome, ours: outcome })
  })
}
