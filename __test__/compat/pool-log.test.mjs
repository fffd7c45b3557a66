// What `log` is told: every line of pg-pool's, in order.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

/** A pool whose `log` is noted, with the arguments behind the line. */
const logging = (context, options = {}) => context.pool({ max: 1, ...options, log: (...line) => context.note(...line) })

compat('a query, another, the end', async (context) => {
  const pool = logging(context)
  await pool.query('select 1')
  context.note('answered')
  await pool.query('select 2')
  context.note('answered')
  await pool.end()
})
compat('callers in the queue', async (context) => {
  const pool = logging(context)
  const held = await pool.connect()
  const queued = [pool.query('select 1 as a'), pool.connect().then((client) => client.release())]
  held.release()
  await Promise.all(queued)
})
compat('a query that fails', async (context) => {
  const pool = logging(context)
  const removed = context.once(pool, 'remove')
  await context.capture(pool.query('select nope'))
  await removed
  await pool.query('select 1')
})
compat('maxUses', async (context) => {
  const pool = logging(context, { maxUses: 2 })
  for (let i = 0; i < 3; i++) {
    const removed = i === 1 && context.once(pool, 'remove')
    await pool.query('select 1')
    await removed
    context.note('answered')
  }
})
compat('maxUses of a client that a caller has, with a caller in the queue', async (context) => {
  const pool = logging(context, { maxUses: 1 })
  const first = await pool.connect()
  const next = pool.connect()
  first.release()
  const second = await next
  context.note('another', second !== first)
  const removed = context.once(pool, 'remove')
  second.release(new Error('of the caller'))
  await removed
})
compat('maxUses and maxLifetimeSeconds together', async (context) => {
  const pool = logging(context, { maxUses: 1, maxLifetimeSeconds: 1000 })
  const removed = context.once(pool, 'remove')
  await pool.query('select 1')
  await removed
})
compat('idleTimeoutMillis', async (context) => {
  const pool = logging(context, { idleTimeoutMillis: 10 })
  const removed = context.once(pool, 'remove')
  await pool.query('select 1')
  await removed
  await context.settle()
})
compat('maxLifetimeSeconds, idle', async (context) => {
  const pool = logging(context, { maxLifetimeSeconds: 0.1 })
  const removed = context.once(pool, 'remove')
  await pool.query('select 1')
  await removed
  await context.settle()
})
compat('maxLifetimeSeconds, in use', async (context) => {
  const pool = logging(context, { maxLifetimeSeconds: 0.05 })
  const client = await pool.connect()
  await context.until(() => pool.expiredCount === 1)
  const removed = context.once(pool, 'remove')
  client.release()
  await removed
  await context.settle()
})
compat('a connection that cannot be made', async (context) => {
  const pool = logging(context, { port: 1 })
  await context.capture(pool.connect())
  await context.capture(pool.query('select 1'))
})
compat('connectionTimeoutMillis, connecting', async (context) => {
  const { host, port } = await context.fakeServer(() => {})
  const pool = logging(context, { host, port, connectionTimeoutMillis: 50 })
  return context.capture(pool.connect())
})
compat('connectionTimeoutMillis, in the queue', async (context) => {
  const pool = logging(context, { connectionTimeoutMillis: 200 })
  const held = await pool.connect()
  const failed = await context.capture(pool.connect())
  held.release()
  return failed
})
compat('an idle connection that is lost', async (context) => {
  const pool = logging(context)
  const { rows: [{ pid }] } = await pool.query('select pg_backend_pid() as pid')
  const [failed, removed] = [context.once(pool, 'error'), context.once(pool, 'remove')]
  await context.admin('select pg_terminate_backend($1)', [pid])
  await failed
  await removed
  await context.settle(5)
})
compat('release(true), and end() with a client in use', async (context) => {
  const pool = logging(context)
  const first = await pool.connect()
  const removed = context.once(pool, 'remove')
  first.release(true)
  await removed
  const second = await pool.connect()
  const ended = pool.end()
  second.release()
  await ended
  await context.settle()
})
compat('onConnect that fails', async (context) => {
  const pool = logging(context, { onConnect: () => Promise.reject(new Error('unfit')) })
  return context.capture(pool.connect())
})
compat('verify that refuses', async (context) => {
  const pool = logging(context, { verify: (_client, done) => done(new Error('unfit')) })
  const removed = context.once(pool, 'remove')
  const failed = await context.capture(pool.connect())
  await removed
  return failed
})
compat('end() twice', async (context) => {
  const pool = logging(context)
  await pool.end()
  return context.capture(pool.end())
})
