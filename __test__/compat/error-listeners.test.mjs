// What listeners of `error` do about a lost connection, and what else is emitted then.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

const EVENTS = ['connect', 'acquire', 'release', 'remove', 'error']

/** The ways in which a connection is lost. */
const losses = {
  'ended by the server': async ({ admin }, _link, pid) => admin('select pg_terminate_backend($1)', [pid]),
  'closed': async (_context, link) => link.hangUp(),
  'reset': async (_context, link) => link.reset(),
}
const pidOf = async (client) => (await client.query('select pg_backend_pid() as pid')).rows[0].pid

/** What a client's `error` listener does. */
const ofClient = {
  'removes all listeners and ends the client': ({ note }, client) =>
    client.on('error', (error) => {
      note('client error', error)
      client.removeAllListeners('error')
      client.end(() => note('end() is done'))
    }),
  'removes itself in the middle, others stay': ({ note }, client) => {
    const first = (error) => {
      note('first', error)
      client.removeListener('error', first)
    }
    client.on('error', first)
    client.on('error', (error) => note('second', error))
  },
  'ends the client, once': ({ note }, client) => {
    client.once('error', (error) => {
      note('once', error)
      client.on('error', (later) => note('later', later))
      client.end().then(() => note('end() is done'))
    })
  },
  'queries again': ({ note, capture }, client) =>
    client.on('error', (error) => {
      note('client error', error)
      capture(client.query('select 1')).then((outcome) => note('its query', outcome))
    }),
  'queries again and ends the client': ({ note, capture }, client) =>
    client.on('error', (error) => {
      note('client error', error)
      capture(client.query('select 1')).then((outcome) => note('its query', outcome))
      capture(client.end()).then((outcome) => note('its end', outcome))
    }),
}
for (const [how, lose] of Object.entries(losses)) {
  for (const [what, listen] of Object.entries(ofClient)) {
    compat(`client: ${how}, a listener that ${what}`, async (context) => {
      const link = await context.proxy()
      const client = context.newClient({ host: link.host, port: link.port })
      await client.connect()
      const pid = await pidOf(client)
      const ended = context.once(client, 'end')
      listen(context, client)
      await lose(context, link, pid)
      await ended
      await context.settle(5)
      context.note('errors heard later', client.listenerCount('error'))
    })
  }
}

/** What an `error` listener of a client that a caller has does. */
const ofHolder = {
  'once, then a quiet listener and release(error)': ({ note }, client) =>
    client.once('error', (error) => {
      note('holder error', error)
      client.on('error', () => {})
      client.release(error)
    }),
  'release(error)': ({ note, capture }, client) =>
    client.on('error', (error) => {
      note('holder error', error)
      client.release(error)
    }),
  'once, release(error)': ({ note }, client) =>
    client.once('error', (error) => {
      note('holder error', error)
      client.release(error)
    }),
  'once, release(true)': ({ note }, client) =>
    client.once('error', (error) => {
      note('holder error', error)
      client.release(true)
    }),
  'once, release()': ({ note }, client) =>
    client.once('error', (error) => {
      note('holder error', error)
      client.release()
    }),
  'once, release(error) in the next tick': ({ note }, client) =>
    client.once('error', (error) => {
      note('holder error', error)
      process.nextTick(() => client.release(error))
    }),
  'once, release(error) in an immediate': ({ note }, client) =>
    client.once('error', (error) => {
      note('holder error', error)
      client.on('error', () => {})
      setImmediate(() => client.release(error))
    }),
  'once, release(error) and pool.end()': ({ note }, client, pool) =>
    client.once('error', (error) => {
      note('holder error', error)
      client.release(error)
      pool.end().then(() => note('the pool has ended'))
    }),
  'once, release(error) and pool.query()': ({ note, capture }, client, pool) =>
    client.once('error', (error) => {
      note('holder error', error)
      client.release(error)
      capture(pool.query('select 1 as a')).then((outcome) => note('its query', outcome.resolved?.rows ?? outcome))
    }),
  'queries again, then release()': ({ note, capture }, client) =>
    client.once('error', async (error) => {
      note('holder error', error)
      client.on('error', () => {})
      note('its query', await capture(client.query('select 1')))
      client.release()
    }),
}
for (const [how, lose] of Object.entries(losses)) {
  for (const [what, listen] of Object.entries(ofHolder)) {
    compat(`pool: ${how}, a holder with ${what}`, async (context) => {
      const link = await context.proxy()
      const pool = context.watch(context.pool({ host: link.host, port: link.port, max: 1 }), 'pool', EVENTS)
      const client = await pool.connect()
      const pid = await pidOf(client)
      const ended = context.once(client, 'end')
      listen(context, client, pool)
      await lose(context, link, pid)
      await ended
      await context.settle(5)
      // A query of the listener takes its time.
      await context.until(() => context.log.every(([what]) => what !== 'pool acquire') || pool.ending || pool.totalCount === pool.idleCount)
      context.note('counts', pool.totalCount, pool.idleCount, pool.waitingCount)
    })
  }
}

/** What a pool's `error` listener does when an idle connection is lost. */
const ofPool = {
  'listens': () => {},
  'queries again': ({ note, capture }, pool) => capture(pool.query('select 1 as a')).then((outcome) => note('its query', outcome.resolved?.rows ?? outcome)),
  'ends the pool': ({ note }, pool) => pool.end().then(() => note('the pool has ended')),
  'removes all listeners': (_context, pool) => pool.removeAllListeners('error'),
  'ends the client it gets': ({ note }, _pool, client) => client.end(() => note('end() is done')),
}
for (const [how, lose] of Object.entries(losses)) {
  for (const [what, react] of Object.entries(ofPool)) {
    compat(`pool: ${how} while idle, a listener that ${what}`, async (context) => {
      const link = await context.proxy()
      const pool = context.watch(context.pool({ host: link.host, port: link.port, max: 1 }), 'pool', EVENTS)
      const client = await pool.connect()
      const pid = await pidOf(client)
      client.release()
      const removed = context.once(pool, 'remove')
      const ended = context.once(client, 'end')
      pool.once('error', (_error, lost) => react(context, pool, lost))
      await lose(context, link, pid)
      await Promise.all([removed, ended])
      await context.settle(5)
      await context.until(() => pool.ending || pool.totalCount === pool.idleCount)
      context.note('counts', pool.totalCount, pool.idleCount, pool.waitingCount)
    })
  }
}

// The same of a client's listener leaves pg's connection open for ever.
compat('an error listener of a pool throws', ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const pool = new pg.Pool({ ...config, max: 1 })
    process.on('uncaughtException', (error) => observe(['uncaught', error.message, pool.totalCount]))
    pool.on('remove', () => observe(['remove']))
    pool.on('error', (error) => {
      observe(['pool error', error.message])
      throw new Error('thrown by the listener')
    })
    const { rows } = await pool.query('select pg_backend_pid() as pid')
    const killer = new pg.Client(config)
    await killer.connect()
    const removed = new Promise((resolve) => pool.on('remove', resolve))
    await killer.query('select pg_terminate_backend($1)', [rows[0].pid])
    await removed
    observe([pool.totalCount, (await pool.query('select 1 as a')).rows])
    await killer.end()
    await pool.end()
  }))

compat('a program that ends its client in the error listener exits in peace', ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    client.on('error', (error) => {
      observe(['client error', error.code])
      client.removeAllListeners()
      client.end()
    })
    const { rows } = await client.query('select pg_backend_pid() as pid')
    const killer = new pg.Client(config)
    await killer.connect()
    await killer.query('select pg_terminate_backend($1)', [rows[0].pid])
    await killer.end()
  }))

compat('callers in the queue are served when a holder releases in the error listener', async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', EVENTS)
  const client = await pool.connect()
  const pid = await pidOf(client)
  client.once('error', (error) => client.release(error))
  const queued = [context.capture(pool.query('select 1 as a')), context.capture(pool.connect().then((next) => next.release()))]
  await context.admin('select pg_terminate_backend($1)', [pid])
  context.note('queued', (await queued[0]).resolved?.rows, await queued[1])
})
compat('a query that runs while the server ends the session: its error, then the client’s', async (context) => {
  const pool = context.watch(context.pool({ max: 1 }), 'pool', EVENTS)
  const client = context.watch(await pool.connect(), 'client', ['error', 'end'])
  const pid = await pidOf(client)
  const ended = context.once(client, 'end')
  const running = client.query('select pg_sleep(10)').catch((error) => {
    context.note('rejected', error.code)
    client.release(error)
  })
  await context.untilWaiting(1)
  await context.admin('select pg_terminate_backend($1)', [pid])
  await running
  await ended
  await context.settle(5)
})
