// The events of a pool: which, in what order, with what arguments, and what the counters say at that moment.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

const EVENTS = ['connect', 'acquire', 'release', 'remove', 'error']
const counts = (pool) => [pool.totalCount, pool.idleCount, pool.waitingCount, pool.expiredCount]

/** A pool whose events are logged with the counters beside them. */
function watched(context, options) {
  const pool = context.pool(options)
  for (const event of EVENTS) pool.on(event, (...args) => context.note(event, ...args, 'counts', ...counts(pool)))
  return pool
}

/** A connection's `remove` comes when its socket has closed, whenever that is: what follows must wait for it. */
async function afterRemoval(context, pool, action) {
  const removed = context.once(pool, 'remove')
  const value = await action()
  await removed
  await context.settle()
  return value
}

compat('one query', async (context) => {
  const pool = watched(context, { max: 1 })
  context.note('before', ...counts(pool))
  const query = pool.query('select 1 as a')
  context.note('asked', ...counts(pool))
  await query
  context.note('answered', ...counts(pool))
  await afterRemoval(context, pool, () => pool.end().then(() => context.note('ended', ...counts(pool))))
})

compat('two queries, one after the other, share a connection', async (context) => {
  const pool = watched(context, { max: 2 })
  await pool.query('select 1')
  await pool.query('select 2')
  await afterRemoval(context, pool, () => pool.end())
})

compat('connect and release', async (context) => {
  const pool = watched(context, { max: 1 })
  const client = await pool.connect()
  context.note('connected', ...counts(pool))
  const returned = await context.capture(() => client.release())
  context.note('released', returned, ...counts(pool))
  const again = await pool.connect()
  context.note('again', again === client)
  again.release()
})

for (const argument of [true, false, null, undefined, new Error('of the caller'), 'text', 0, 1, {}]) {
  compat(`release(${argument instanceof Error ? 'an error' : typeof argument === 'object' && argument ? 'an object' : String(argument)})`, async (context) => {
    const pool = watched(context, { max: 1 })
    const client = await pool.connect()
    if (argument) await afterRemoval(context, pool, () => client.release(argument))
    else client.release(argument)
    context.note('released', ...counts(pool))
    await pool.query('select 1')
    await afterRemoval(context, pool, () => pool.end())
  })
}

compat('an error of the server keeps the connection of pool.query out: release gets the error', async (context) => {
  const pool = watched(context, { max: 1 })
  context.note('failed', await afterRemoval(context, pool, () => context.capture(pool.query('select nope'))), ...counts(pool))
  await pool.query('select 1')
  await afterRemoval(context, pool, () => pool.end())
})

compat('an error of the server on a checked-out client keeps the connection', async (context) => {
  const pool = watched(context, { max: 1 })
  const client = await pool.connect()
  await context.capture(client.query('select nope'))
  client.release()
  const again = await pool.connect()
  context.note('same', again === client)
  again.release()
})

compat('a connection that cannot be made', async (context) => {
  const pool = watched(context, { max: 1, port: 1 })
  const failed = await context.capture(pool.connect())
  context.note('failed', failed.rejected.code, ...counts(pool))
  const again = await context.capture(pool.query('select 1'))
  context.note('failed again', again.rejected.code, ...counts(pool))
  await pool.end()
})

compat('a login that is refused', async (context) => {
  const pool = watched(context, { max: 1, database: 'does_not_exist' })
  context.note('failed', await context.capture(pool.connect()), ...counts(pool))
  await pool.end()
})

compat('an idle connection that the server ends: error event', async (context) => {
  const pool = watched(context, { max: 1 })
  const { rows: [{ pid }] } = await pool.query('select pg_backend_pid() as pid')
  const failed = context.once(pool, 'error')
  const removed = context.once(pool, 'remove')
  await context.admin('select pg_terminate_backend($1)', [pid])
  await failed
  await removed
  await context.settle()
  context.note('later', ...counts(pool))
  context.note('next', await pool.query('select 1 as a'))
})

compat('the client of an error event', async (context) => {
  const pool = context.pool({ max: 1 })
  const held = await pool.connect()
  const { rows: [{ pid }] } = await held.query('select pg_backend_pid() as pid')
  held.release()
  const failed = context.once(pool, 'error')
  await context.admin('select pg_terminate_backend($1)', [pid])
  const [error, client] = await failed
  return { same: client === held, onError: error.client === held, code: error.code }
})

compat('a checked-out client that the server ends: no error event of the pool', async (context) => {
  const pool = watched(context, { max: 1 })
  const client = await pool.connect()
  const { rows: [{ pid }] } = await client.query('select pg_backend_pid() as pid')
  const errors = []
  client.on('error', (error) => errors.push(error.code ?? error.message))
  const ended = context.once(client, 'end')
  await context.admin('select pg_terminate_backend($1)', [pid])
  await ended
  context.note('client errors', errors)
  context.note('before release', ...counts(pool))
  client.release()
  await context.settle()
  context.note('after release', ...counts(pool))
  context.note('next', await pool.query('select 1 as a'))
})

compat('idle connections are removed after idleTimeoutMillis', async (context) => {
  const pool = watched(context, { max: 1, idleTimeoutMillis: 20 })
  const removed = context.once(pool, 'remove')
  await pool.query('select 1')
  await removed
  context.note('removed', ...counts(pool))
})

compat('maxUses', async (context) => {
  const pool = watched(context, { max: 1, maxUses: 2 })
  for (let i = 0; i < 5; i++) {
    context.note('query', i)
    if (i % 2 === 1) await afterRemoval(context, pool, () => pool.query('select 1'))
    else await pool.query('select 1')
  }
})

compat('listeners by once, prepend and removal', async (context) => {
  const pool = context.pool({ max: 1 })
  const listener = () => context.note('never')
  pool.on('connect', listener)
  pool.removeListener('connect', listener)
  pool.once('acquire', () => context.note('once'))
  pool.prependListener('acquire', () => context.note('first'))
  await pool.query('select 1')
  await pool.query('select 1')
  return { names: pool.eventNames(), connect: pool.listenerCount('connect'), acquire: pool.listenerCount('acquire') }
})

compat('queries sent in a connect listener run before the caller’s', async (context) => {
  const pool = context.pool({ max: 1 })
  pool.on('connect', (client) => {
    client.query(`set application_name = 'from the listener'`)
  })
  return pool.query('show application_name')
})

compat('connect comes once per connection, acquire once per checkout', async (context) => {
  const pool = context.pool({ max: 2 })
  const seen = { connect: 0, acquire: 0, release: 0, remove: 0 }
  for (const event of Object.keys(seen)) pool.on(event, () => seen[event]++)
  for (let i = 0; i < 6; i++) await pool.query('select 1')
  await Promise.all(Array.from({ length: 6 }, () => pool.query('select 1')))
  const before = { ...seen }
  await pool.end()
  await context.until(() => seen.remove === 2)
  return { before, after: seen }
})

compat('a listener that throws on acquire', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const pool = new pg.Pool({ ...config, max: 1 })
    process.on('uncaughtException', (error) => {
      observe(['uncaught', error.message, pool.totalCount, pool.idleCount])
      process.exit()
    })
    pool.on('acquire', () => {
      throw new Error('thrown by a listener')
    })
    observe(await pool.query('select 1').then(() => 'answered', (error) => ['rejected', error.message]))
    process.exit()
  }))
