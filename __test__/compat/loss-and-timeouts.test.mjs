// Lost connections, timeouts and ends, seen from all sides: which events, errors and counters, in which order.
import { suite } from './harness.mjs'
import { say } from './fake-server.mjs'

const { compat } = await suite(import.meta.url)

const EVENTS = ['connect', 'acquire', 'release', 'remove', 'error']
/** An outcome in few words. */
const short = (outcome) => outcome.rejected ? ['rejected', outcome.rejected.code, outcome.rejected.message] : outcome.resolved?.rows ?? Object.keys(outcome)
const pidOf = async (client) => (await client.query('select pg_backend_pid() as pid')).rows[0].pid

compat('pool.query with query_timeout, next', { leavesConnections: true }, async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', EVENTS)
  const removed = context.once(pool, 'remove')
  const a = await context.capture(pool.query({ text: 'select pg_sleep(0.5)', query_timeout: 50 }))
  context.note('timed out', a)
  await removed
  context.note('next', short(await context.capture(pool.query('select 1 as a'))))
})

compat('pool query_timeout option', { leavesConnections: true }, async (context) => {
  const pool = context.watch(context.pool({ max: 1, query_timeout: 50 }), 'pool', EVENTS)
  const removed = context.once(pool, 'remove')
  const a = await context.capture(pool.query('select pg_sleep(0.5)'))
  context.note('timed out', a)
  await removed
})

compat('client query_timeout: what comes behind waits', async (context) => {
  const client = context.watch(await context.client(), 'client', ['error', 'end', 'drain'])
  const a = context.capture(client.query({ text: 'select pg_sleep(0.3)', query_timeout: 30 })).then((outcome) => context.note('a', short(outcome)))
  const b = context.capture(client.query('select 2 as b')).then((outcome) => context.note('b', short(outcome)))
  await Promise.all([a, b])
  await client.end()
})

compat('client query_timeout then end()', { leavesConnections: true }, async (context) => {
  const client = context.watch(await context.client(), 'client', ['error', 'end'])
  const ended = context.once(client, 'end')
  await context.capture(client.query({ text: 'select pg_sleep(1)', query_timeout: 30 })).then((outcome) => context.note('a', short(outcome)))
  await client.end()
  await ended
  await context.settle()
})

compat('query_timeout of a queued query', async (context) => {
  const client = context.watch(await context.client(), 'client', ['error', 'end', 'drain'])
  const a = context.capture(client.query('select pg_sleep(0.3)')).then((outcome) => context.note('a', short(outcome)))
  const b = context.capture(client.query({ text: 'select 2 as b', query_timeout: 30 })).then((outcome) => context.note('b', short(outcome)))
  await Promise.all([a, b])
  await context.settle()
})

compat('query_timeout with a Query object and listeners', async (context) => {
  const client = context.watch(await context.client(), 'client', ['error', 'end', 'drain'])
  const q = context.watch(new context.pg.Query({ text: 'select pg_sleep(0.2)' }), 'query', ['row', 'end', 'error'])
  q.query_timeout = 30
  const late = context.once(q, 'end')
  client.query(q)
  await late
  await client.query('select 1')
  await context.settle()
})

compat('end() while a query runs', { leavesConnections: true }, async (context) => {
  const client = context.watch(await context.client(), 'client', ['error', 'end', 'drain'])
  const a = context.capture(client.query('select pg_sleep(1)')).then((outcome) => context.note('a', short(outcome)))
  const b = context.capture(client.query('select 1')).then((outcome) => context.note('b', short(outcome)))
  const ended = context.once(client, 'end')
  client.end(() => context.note('end callback'))
  await Promise.all([a, b, ended])
  await context.settle()
})

compat('pool.end() while a query runs', async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', EVENTS)
  await pool.query('select 1')
  const a = context.capture(pool.query('select pg_sleep(0.2)')).then((outcome) => context.note('a', short(outcome)))
  await context.untilWaiting(1)
  const removed = context.once(pool, 'remove')
  await pool.end().then(() => context.note('ended'))
  await Promise.all([a, removed])
  await context.settle()
})

compat('pool.end() while connecting', async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', EVENTS)
  const a = context.capture(pool.query('select 1 as a')).then((outcome) => context.note('a', short(outcome)))
  const removed = context.once(pool, 'remove')
  await pool.end().then(() => context.note('ended'))
  await Promise.all([a, removed])
  await context.settle()
})

compat('pool.end() with a checked out client that is lost', async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', EVENTS)
  const client = context.watch(await pool.connect(), 'client', ['error', 'end'])
  const pid = await pidOf(client)
  const end = pool.end().then(() => context.note('ended'))
  const lost = context.once(client, 'end')
  await context.admin('select pg_terminate_backend($1)', [pid])
  await lost
  client.release()
  await end
  await context.settle()
})

compat('a client of a pool: events at the end', async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', ['remove'])
  const client = context.watch(await pool.connect(), 'client', ['error', 'end'])
  client.release()
  const ended = context.once(client, 'end')
  await pool.end().then(() => context.note('ended'))
  await ended
  await context.settle()
})

compat('queries of a holder after loss', async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', EVENTS)
  const client = context.watch(await pool.connect(), 'client', ['error', 'end'])
  await client.query('begin')
  const pid = await pidOf(client)
  const ended = context.once(client, 'end')
  await context.admin('select pg_terminate_backend($1)', [pid])
  await ended
  for (const text of ['select 1', 'rollback', 'commit']) context.note(text, short(await context.capture(client.query(text))))
  context.note('cb', await new Promise((r) => client.query('select 1', (e, res) => r([e?.message, res]))))
  const removed = context.once(pool, 'remove')
  client.release(new Error('x'))
  await removed
  context.note('double', await context.capture(() => client.release()))
})

compat('client.end() by a holder, then release()', async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', EVENTS)
  const client = context.watch(await pool.connect(), 'client', ['error', 'end'])
  await client.end()
  context.note('ended', pool.totalCount, pool.idleCount)
  const removed = context.once(pool, 'remove')
  client.release()
  await removed
  await context.settle()
  context.note('counts', pool.totalCount, pool.idleCount)
  context.note('next', short(await context.capture(pool.query('select 1 as a'))))
})

compat('client.end() by a holder, no release: the next caller', async (context) => {
  const pool = context.watch(context.pool({ max: 2 }), 'pool', EVENTS)
  const client = await pool.connect()
  await client.end()
  context.note('next', short(await context.capture(pool.query('select 1 as a'))))
  client.release()
  await context.settle()
})

compat('idle client ended by somebody who kept it', async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', EVENTS)
  const client = context.watch(await pool.connect(), 'client', ['error', 'end'])
  client.release()
  await client.end()
  await context.settle()
  context.note('counts', pool.totalCount, pool.idleCount)
  context.note('next', short(await context.capture(pool.query('select 1 as a'))))
})

compat('query on a released client', async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', EVENTS)
  const client = await pool.connect()
  client.release()
  context.note('late', short(await context.capture(client.query('select 1 as late'))))
  context.note('next', short(await context.capture(pool.query('select 1 as a'))))
})

for (const bytes of [1, 9, 20, 60, 200, 340]) {
  compat(`login cut after ${bytes} bytes`, async (context) => {
    const link = await context.proxy()
    link.hangUpAfter(bytes)
    const pool = context.watch(context.pool({ host: link.host, port: link.port, max: 1 }), 'pool', EVENTS)
    context.note('connect', short(await context.capture(pool.connect())), pool.totalCount, pool.waitingCount)
    context.note('query', short(await context.capture(pool.query('select 1'))), pool.totalCount, pool.waitingCount)
    const client = context.watch(context.newClient({ host: link.host, port: link.port }), 'client', ['error', 'end'])
    const ended = context.once(client, 'end')
    context.note('client', short(await context.capture(client.connect())))
    await ended
    context.note('its end', await context.capture(client.end()))
  })
}

compat('several idle connections lost, with callers', async (context) => {
  const pool = context.watch(context.pool({ max: 3 }), 'pool', ['error', 'remove'])
  const clients = await Promise.all([1, 2, 3].map(() => pool.connect()))
  clients.forEach((x) => x.release())
  let left = 3
  const all = new Promise((r) => pool.on('remove', () => --left === 0 && r()))
  await context.admin(`select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`)
  await all
  context.note('counts', pool.totalCount, pool.idleCount, pool.waitingCount)
  context.note('next', (await Promise.all([1, 2, 3].map((n) => context.capture(pool.query(`select ${n} as n`))))).map(short))
})

compat('connectionTimeoutMillis in the queue, then free', async (context) => {
  const pool = context.watch(context.pool({ max: 1, connectionTimeoutMillis: 100 }), 'pool', EVENTS)
  const client = await pool.connect()
  const late = await context.capture(pool.query('select 1'))
  context.note('late', short(late), pool.waitingCount)
  client.release()
  context.note('next', short(await context.capture(pool.query('select 1 as a'))))
})

compat('client: connect after a failed connect', async (context) => {
  const client = context.watch(context.newClient({ port: 1 }), 'client', ['error', 'end'])
  const ended = context.once(client, 'end')
  await context.capture(client.connect())
  await ended
  context.note('again', (await context.capture(client.connect())).rejected?.message)
})

compat('client: end() before connect, then connect', async (context) => {
  const client = context.watch(context.newClient(), 'client', ['error', 'end'])
  context.note('end', await context.capture(client.end()))
  context.note('connect', (await context.capture(client.connect())).resolved === client)
  context.note('query', short(await context.capture(client.query('select 1'))))
})

compat('client: listen, lost', async (context) => {
  const client = context.watch(await context.client(), 'client', ['error', 'end', 'notification'])
  await client.query('listen x')
  const pid = await pidOf(client)
  const ended = context.once(client, 'end')
  const notified = context.once(client, 'notification')
  await context.admin(`select pg_notify('x', 'last')`)
  // A session that finds both signals at once ends without the notification.
  await notified
  await context.admin('select pg_terminate_backend($1)', [pid])
  await ended
  await context.settle()
})

compat('rows and error: a session ended in a row listener', async (context) => {
  const client = context.watch(await context.client(), 'client', ['error', 'end'])
  const pid = await pidOf(client)
  const q = context.watch(new context.pg.Query('select n, pg_sleep(0.01) from generate_series(1, 100) n'), 'query', ['end', 'error'])
  client.query(q)
  await context.untilWaiting(1)
  const ended = context.once(client, 'end')
  await context.admin('select pg_terminate_backend($1)', [pid])
  await ended
  await context.settle()
})

compat('a failed connection attempt serves the next in the queue', async (context) => {
  let n = 0
  const { host, port } = await context.fakeServer((socket, { letter }) => {
    if (letter === null && n++ === 0) socket.end(say.error({ S: 'FATAL', V: 'FATAL', C: '53300', M: 'sorry, too many clients already' }))
    else if (letter === null) socket.write(say.welcome())
    if (letter === 'Q') socket.write(Buffer.concat([say.commandComplete('SELECT 0'), say.ready()]))
    if (letter === 'X') socket.end()
  })
  const pool = context.watch(context.pool({ host, port, max: 1 }), 'pool', EVENTS)
  const out = await Promise.all([context.capture(pool.query('select 1')), context.capture(pool.query('select 2')), context.capture(pool.connect().then((x) => x.release()))])
  context.note(out.map((outcome) => outcome.rejected ? [outcome.rejected.code, outcome.rejected.message] : 'ok'))
})

compat('error of an idle client whose pool has no listener, with the holder gone', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    process.on('uncaughtException', (error) => observe(['uncaught', error.code, error.message]))
    const pool = new pg.Pool({ ...config, max: 1 })
    const { rows } = await pool.query('select pg_backend_pid() as pid')
    const admin = new pg.Client(config)
    await admin.connect()
    const removed = new Promise((r) => pool.once('remove', r))
    await admin.query('select pg_terminate_backend($1, 5000)', [rows[0].pid])
    await removed
    observe([pool.totalCount, (await pool.query('select 1 as a')).rows])
    await admin.end()
    await pool.end()
  }))

compat('allowExitOnIdle and a lost connection', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const pool = new pg.Pool({ ...config, max: 1, allowExitOnIdle: true })
    pool.on('error', (error) => observe(['error', error.code]))
    observe((await pool.query('select 1 as a')).rows)
    process.on('exit', (code) => observe(['exit', code]))
  }))

compat('an unhandled rejection of a query whose connection is lost', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    process.on('unhandledRejection', (error) => observe(['unhandled', error.code, error.message]))
    const client = new pg.Client(config)
    client.on('error', (error) => observe(['error', error.code, error.message]))
    await client.connect()
    const ended = new Promise((r) => client.on('end', r))
    client.query('select pg_sleep(5)')
    const admin = new pg.Client(config)
    await admin.connect()
    await admin.query("select pg_terminate_backend(pid, 5000) from pg_stat_activity where query = 'select pg_sleep(5)' and datname = current_database()")
    await ended
    await admin.end()
  }))
