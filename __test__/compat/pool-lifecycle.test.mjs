// A pool from its first connection to its end: limits, waiting, timeouts, release, hooks.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

const counts = (pool) => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount, expired: pool.expiredCount, ending: pool.ending, ended: pool.ended })

compat('options: defaults and what is kept', async ({ pg, config }) => {
  const seen = []
  for (const options of [undefined, {}, { max: 5 }, { poolSize: 3 }, { max: 0 }, { max: 2, poolSize: 7 }, { min: 2 }, { idleTimeoutMillis: 0 }, { idleTimeoutMillis: 5 }, { maxUses: 0 }, { maxUses: 4 }, { maxLifetimeSeconds: 3 }, { allowExitOnIdle: true }, { connectionTimeoutMillis: 9 }]) {
    seen.push(new pg.Pool(options).options)
  }
  return seen
})
compat('options: the password is hidden but readable', async ({ pg, config }) => {
  const pool = new pg.Pool({ ...config, password: 'secret', ssl: { key: 'private', ca: 'x' } })
  const { inspect } = await import('node:util')
  return { keys: Object.keys(pool.options).sort(), password: pool.options.password, inspected: inspect(pool.options).includes('secret'), json: JSON.stringify(pool.options).includes('secret'), key: JSON.stringify(pool.options.ssl) }
})
compat('options of a pool make another pool: the password goes along, hidden', async ({ pool, config, capture }) => {
  const login = { user: 'login_scram', password: `sécret '1`, max: 1 }
  const first = pool(login)
  const seen = []
  for (const options of [first.options, { ...first.options }, Object.assign({}, first.options), Object.assign(Object.create(first.options), { ...config, user: 'login_scram' })]) {
    const second = new first.constructor(options)
    const { options: kept } = second
    seen.push({
      password: kept.password, own: Object.hasOwn(kept, 'password'), listed: Object.keys(kept).includes('password'),
      query: await capture(second.query('select current_user')), third: await capture(new first.Client(kept).connect().then((client) => client.end())),
    })
    await second.end()
  }
  return seen
})
compat('options: a password that is undefined, null or a function', async ({ pg, config }) => {
  const seen = []
  for (const password of [undefined, null, '', () => 'later']) {
    const { options } = new pg.Pool(new pg.Pool({ ...config, password }).options)
    seen.push([options.password, 'password' in options, Object.keys(options).includes('password')])
  }
  return seen
})
compat('options: the caller’s object is not kept', async ({ pool, pg, config }) => {
  const options = { ...config, max: 1 }
  const opened = new pg.Pool(options)
  options.max = 5
  const keys = Object.keys(options).sort()
  return { same: opened.options === options, max: opened.options.max, keys }
})
compat('a pool is an EventEmitter and an instance of Pool', async ({ pool, pg }) => {
  const { EventEmitter } = await import('node:events')
  const opened = pool()
  return [opened instanceof EventEmitter, opened instanceof pg.Pool, typeof opened.on, opened.Client === pg.Client, opened.Promise === Promise]
})
compat('a subclass of Pool', async ({ pg, config, track }) => {
  class Own extends pg.Pool {
    connect(...args) {
      this.asked = (this.asked ?? 0) + 1
      return super.connect(...args)
    }
  }
  const opened = track(new Own(config))
  const { rows } = await opened.query('select 1 as a')
  return { rows, asked: opened.asked, own: opened instanceof Own }
})
compat('a Client class of one’s own', async ({ pg, pool }) => {
  class Own extends pg.Client {
    query(...args) {
      Own.asked = (Own.asked ?? 0) + 1
      return super.query(...args)
    }
  }
  const opened = pool({ Client: Own, max: 1 })
  const { rows } = await opened.query('select 1 as a')
  const client = await opened.connect()
  const own = client instanceof Own
  client.release()
  return { rows, asked: Own.asked, own }
})
compat('nothing connects before the first use', async ({ pool, admin, settle }) => {
  const opened = pool({ min: 3 })
  await settle()
  return counts(opened)
})
compat('connections grow on demand up to max', async ({ pool }) => {
  const opened = pool({ max: 3 })
  const seen = [counts(opened)]
  const clients = []
  for (let i = 0; i < 3; i++) {
    clients.push(await opened.connect())
    seen.push(counts(opened))
  }
  const waiting = opened.connect()
  seen.push(counts(opened))
  clients[0].release()
  seen.push(counts(opened))
  const fourth = await waiting
  seen.push(counts(opened), fourth === clients[0])
  for (const client of [fourth, clients[1], clients[2]]) client.release()
  seen.push(counts(opened))
  return seen
})
compat('the last released connection is used first', async ({ pool }) => {
  const opened = pool({ max: 3 })
  const clients = [await opened.connect(), await opened.connect(), await opened.connect()]
  for (const client of clients) client.release()
  const order = []
  const taken = [await opened.connect(), await opened.connect(), await opened.connect()]
  for (const client of taken) order.push(clients.indexOf(client))
  for (const client of taken) client.release()
  return order
})
compat('waiters are served in order', async ({ pool, note }) => {
  const opened = pool({ max: 1 })
  const first = await opened.connect()
  const waiters = Array.from({ length: 5 }, (_, i) =>
    opened.connect().then(async (client) => {
      note('served', i, opened.waitingCount)
      await client.query('select 1')
      client.release()
    }))
  note('waiting', opened.waitingCount)
  first.release()
  await Promise.all(waiters)
})
compat('one client for many concurrent queries with max 1', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => opened.query('select $1::int as n, pg_backend_pid() as pid', [i])))
  return { numbers: results.map(({ rows }) => rows[0].n), backends: new Set(results.map(({ rows }) => rows[0].pid)).size, counts: counts(opened) }
})
compat('never more than max connections', async ({ pool, admin }) => {
  const opened = pool({ max: 3 })
  const results = await Promise.all(Array.from({ length: 30 }, () => opened.query('select pg_backend_pid() as pid, pg_sleep(0.001)')))
  return { backends: new Set(results.map(({ rows }) => rows[0].pid)).size, counts: counts(opened) }
})
compat('max: 0 means the default', async ({ pool }) => pool({ max: 0 }).query('select 1 as a'))

compat('release twice throws', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  client.release()
  const second = await capture(() => client.release())
  return { second, counts: counts(opened), next: await opened.query('select 1 as a') }
})
compat('release twice after another has taken the client', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  const { release } = client
  release()
  const again = await opened.connect()
  const late = await capture(() => release())
  const fine = await capture(() => again.release())
  return { late, fine, counts: counts(opened) }
})
compat('release(true) removes the connection', async ({ pool, until }) => {
  const opened = pool({ max: 2 })
  const client = await opened.connect()
  client.release(true)
  const now = counts(opened)
  const { rows } = await opened.query('select 1 as a')
  return { now, rows, after: counts(opened) }
})
compat('release(true) makes room for a waiter', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  const waiting = opened.query('select 1 as a')
  const before = counts(opened)
  client.release(true)
  return { before, result: await waiting, after: counts(opened) }
})
compat('release during a query', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  const running = client.query('select 1 as a, pg_sleep(0.01)')
  client.release()
  const next = opened.query('select 2 as b')
  return [await running, await next, counts(opened)]
})
compat('release with an open transaction: it stays open', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  await client.query('begin')
  client.release()
  await opened.query('select now() = statement_timestamp() as fresh')
  const again = await opened.connect()
  const status = again.getTransactionStatus()
  await again.query('rollback')
  again.release()
  return { status }
})
compat('a client released by client.end()', async ({ pool, capture, settle }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  await client.end()
  const before = counts(opened)
  client.release()
  await settle()
  return { before, after: counts(opened), next: await opened.query('select 1 as a') }
})
compat('a query on a released client still runs', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  client.release()
  return [await capture(client.query('select 1 as a')), counts(opened)]
})
compat('a query on a client of an ended pool', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  client.release()
  await opened.end()
  return capture(client.query('select 1 as a'))
})

compat('end waits for checked-out clients', async ({ pool, note, settle }) => {
  const opened = pool({ max: 2 })
  const client = await opened.connect()
  await opened.query('select 1')
  note('before', counts(opened))
  const ended = opened.end().then((value) => note('ended', value))
  note('ending', counts(opened))
  await settle()
  note('settled', counts(opened))
  note('still works', (await client.query('select 2 as a')).rows)
  client.release()
  await ended
  note('after', counts(opened))
})
compat('end of an idle pool', async ({ pool, capture }) => {
  const opened = pool({ max: 2 })
  await Promise.all([opened.query('select 1'), opened.query('select 2')])
  const result = await capture(opened.end())
  return [result, counts(opened)]
})
compat('end of a pool that was never used', async ({ pool, capture }) => {
  const opened = pool()
  return [await capture(opened.end()), counts(opened)]
})
compat('end twice', async ({ pool, capture }) => {
  const opened = pool()
  await opened.query('select 1')
  const first = opened.end()
  const second = await capture(opened.end())
  await first
  return [second, await capture(opened.end())]
})
compat('connect and query after end', async ({ pool, capture }) => {
  const opened = pool()
  await opened.end()
  return [await capture(opened.connect()), await capture(opened.query('select 1'))]
})
compat('connect and query while ending', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  const ended = opened.end()
  const results = [await capture(opened.connect()), await capture(opened.query('select 1'))]
  client.release()
  await ended
  return results
})
compat('waiters that are queued when end is called are never served', async ({ pool, settle, note }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  const outcomes = []
  for (let i = 0; i < 2; i++) opened.connect().then(() => outcomes.push('served'), (error) => outcomes.push(error.message))
  note('queued', counts(opened))
  const ended = opened.end()
  client.release()
  await ended
  await settle(10)
  return { outcomes, counts: counts(opened) }
})
compat('waiters that are queued when end is called, with connectionTimeoutMillis', async ({ pool }) => {
  const opened = pool({ max: 1, connectionTimeoutMillis: 600 })
  const client = await opened.connect()
  const waiting = opened.connect().then(() => 'served', (error) => error)
  const ended = opened.end()
  client.release()
  await ended
  const keepAlive = setTimeout(() => {}, 5000)
  const outcome = await waiting
  clearTimeout(keepAlive)
  return { outcome, counts: counts(opened) }
})
compat('end while a connection is being made', async ({ pool, capture, note }) => {
  const opened = pool({ max: 1 })
  const connecting = opened.connect()
  const ended = opened.end()
  const client = await connecting
  note('connected', counts(opened))
  client.release()
  await ended
  note('ended', counts(opened))
})
compat('end while queries run: they are answered', async ({ pool, note }) => {
  const opened = pool({ max: 2 })
  await Promise.all([opened.query('select 1'), opened.query('select 2')])
  const running = [opened.query('select 1 as a, pg_sleep(0.02)'), opened.query('select 2 as a, pg_sleep(0.01)')]
  await new Promise((resolve) => process.nextTick(resolve))
  await new Promise((resolve) => setImmediate(resolve))
  const ended = opened.end()
  const results = await Promise.all(running)
  await ended
  return results.map(({ rows }) => rows[0].a)
})

compat('connectionTimeoutMillis while waiting for a free connection', async ({ pool, capture }) => {
  const opened = pool({ max: 1, connectionTimeoutMillis: 600 })
  const client = await opened.connect()
  const keepAlive = setTimeout(() => {}, 5000)
  const failed = await capture(opened.connect())
  const failedQuery = await capture(opened.query('select 1'))
  clearTimeout(keepAlive)
  const during = counts(opened)
  client.release()
  return { failed, failedQuery, during, next: await opened.query('select 1 as a'), after: counts(opened) }
})
compat('connectionTimeoutMillis with a server that never answers', async ({ pool, fakeServer, capture }) => {
  const { host, port } = await fakeServer(() => {})
  const opened = pool({ host, port, connectionTimeoutMillis: 30 })
  return [await capture(opened.connect()), counts(opened)]
})
compat('connectionTimeoutMillis long enough', async ({ pool }) => pool({ connectionTimeoutMillis: 5000 }).query('select 1 as a'))
compat('a waiter is served before its timeout', async ({ pool }) => {
  const opened = pool({ max: 1, connectionTimeoutMillis: 5000 })
  const client = await opened.connect()
  const waiting = opened.query('select 1 as a')
  client.release()
  return [await waiting, counts(opened)]
})

compat('idleTimeoutMillis 0 keeps connections', async ({ pool, settle }) => {
  const opened = pool({ idleTimeoutMillis: 0 })
  await opened.query('select 1')
  await new Promise((resolve) => setTimeout(resolve, 30))
  return counts(opened)
})
compat('min keeps that many idle connections', async ({ pool, once, until }) => {
  const opened = pool({ max: 3, min: 1, idleTimeoutMillis: 20 })
  const clients = [await opened.connect(), await opened.connect(), await opened.connect()]
  for (const client of clients) client.release()
  await until(() => opened.totalCount === 1)
  await new Promise((resolve) => setTimeout(resolve, 60))
  return counts(opened)
})
compat('an idle connection that is used in time is kept', async ({ pool }) => {
  const opened = pool({ max: 1, idleTimeoutMillis: 1000 })
  const first = await opened.query('select pg_backend_pid() as pid')
  const second = await opened.query('select pg_backend_pid() as pid')
  return first.rows[0].pid === second.rows[0].pid
})
compat('maxUses ends a connection after so many checkouts', async ({ pool }) => {
  const opened = pool({ max: 1, maxUses: 3 })
  const backends = []
  for (let i = 0; i < 7; i++) backends.push((await opened.query('select pg_backend_pid() as pid')).rows[0])
  return backends
})
compat('maxUses 1', async ({ pool }) => {
  const opened = pool({ max: 1, maxUses: 1 })
  return [(await opened.query('select pg_backend_pid() as pid')).rows, (await opened.query('select pg_backend_pid() as pid')).rows]
})
compat('maxLifetimeSeconds ends an idle connection', async ({ pool, once }) => {
  const opened = pool({ max: 1, maxLifetimeSeconds: 0.05 })
  const removed = once(opened, 'remove')
  await opened.query('select 1')
  const keepAlive = setTimeout(() => {}, 5000)
  await removed
  clearTimeout(keepAlive)
  return counts(opened)
})
compat('maxLifetimeSeconds ends a busy connection when it is released', async ({ pool, until }) => {
  const opened = pool({ max: 1, maxLifetimeSeconds: 0.02 })
  const client = await opened.connect()
  await until(() => opened.expiredCount === 1)
  const during = counts(opened)
  const works = await client.query('select 1 as a')
  client.release()
  return { during, works: works.rows, after: counts(opened) }
})

compat('onConnect runs before the connection is handed out', async ({ pool, note }) => {
  const opened = pool({ max: 1, onConnect: async (client) => {
    note('onConnect', client, opened.totalCount, opened.idleCount)
    await client.query(`set application_name = 'from onConnect'`)
    note('onConnect done')
  } })
  for (const event of ['connect', 'acquire', 'release', 'remove']) opened.on(event, () => note(event))
  return [await opened.query('show application_name'), await opened.query('show application_name')]
})
compat('onConnect that returns no promise', async ({ pool, note }) => pool({ onConnect: (client) => void note('onConnect', client) }).query('select 1 as a'))
compat('onConnect that rejects', async ({ pool, capture }) => {
  let calls = 0
  const opened = pool({ max: 1, onConnect: async () => { if (++calls === 1) throw new Error('refused by the hook') } })
  return [await capture(opened.query('select 1 as a')), counts(opened), await capture(opened.query('select 2 as a'))]
})
compat('onConnect that throws', async ({ pool, capture }) => {
  const opened = pool({ max: 1, onConnect: () => { throw new TypeError('thrown by the hook') } })
  return [await capture(opened.connect()), counts(opened)]
})
compat('onConnect that fails with a server error', async ({ pool, capture }) => {
  const opened = pool({ max: 1, onConnect: (client) => client.query('select nope') })
  return [await capture(opened.connect()), counts(opened)]
})
compat('verify: accepted', async ({ pool, note }) => {
  const opened = pool({ max: 1, verify: (client, done) => { note('verify', client, typeof done, done.length); client.query('select 1', (error) => done(error)) } })
  return [await opened.query('select 2 as a'), await opened.query('select 3 as a')]
})
compat('verify: refused', async ({ pool, capture, settle }) => {
  const opened = pool({ max: 1, verify: (client, done) => done(new Error('refused by verify')) })
  const failed = await capture(opened.connect())
  await settle()
  return [failed, counts(opened)]
})
compat('verify with a callback', async ({ pool }) => {
  const opened = pool({ max: 1, verify: (client, done) => done(new Error('refused by verify')) })
  return new Promise((resolve) => opened.connect((error, client, release) => resolve([error, client, typeof release])))
})
compat('log: its messages for a query and the end', async ({ pool, note, settle }) => {
  const opened = pool({ max: 1, log: (...args) => note(...args) })
  await opened.query('select 1')
  await opened.query('select 2')
  await opened.end()
  await settle()
})
compat('log: a failed connection', async ({ pool, note, capture }) => {
  const opened = pool({ max: 1, port: 1, log: (message, ...rest) => note(message, rest.length) })
  await capture(opened.query('select 1'))
})
compat('a Promise of one’s own', async ({ pool }) => {
  class Own extends Promise {}
  const opened = pool({ Promise: Own })
  const [connect, query] = [opened.connect(), opened.query('select 1 as a')]
  const client = await connect
  const clientQuery = client.query('select 1')
  const kinds = [connect, query, clientQuery].map((promise) => promise instanceof Own)
  await Promise.all([query, clientQuery])
  client.release()
  const end = opened.end()
  kinds.push(end instanceof Own)
  await end
  return kinds
})

compat('the extra properties of a checked-out client', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  const seen = { release: typeof client.release, length: client.release.length, errorListeners: client.listenerCount('error'), end: client.listenerCount('end') }
  client.release()
  seen.idleErrorListeners = client.listenerCount('error')
  return seen
})
compat('listeners on a client survive its release', async ({ pool, note, once }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  client.on('notice', (notice) => note('notice', notice.message))
  client.release()
  await opened.query(`do $$ begin raise notice 'seen'; end $$`)
})
compat('no listeners pile up', async ({ pool }) => {
  const opened = pool({ max: 1 })
  let client
  for (let i = 0; i < 30; i++) {
    client = await opened.connect()
    await client.query('select 1')
    client.release()
  }
  return Object.fromEntries(['error', 'end', 'drain', 'notice', 'connect'].map((event) => [event, client.listenerCount(event)]))
})
compat('many queries at once through few connections', async ({ pool }) => {
  const opened = pool({ max: 4 })
  const results = await Promise.all(Array.from({ length: 300 }, (_, i) => opened.query('select $1::int as n', [i])))
  return { numbers: results.map(({ rows }) => rows[0].n), counts: counts(opened) }
})
compat('a failing query in the middle of many', async ({ pool, capture }) => {
  const opened = pool({ max: 2 })
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => capture(opened.query(i === 7 ? 'select nope' : `select ${i} as n`))))
  return results.map(({ resolved, rejected }) => resolved?.rows[0].n ?? rejected.code)
})
compat('Symbol.asyncDispose', async ({ pool }) => typeof pool()[Symbol.asyncDispose ?? 'asyncDispose'])

/** Whether the process can end by itself needs a process of its own. */
const exits = {
  'allowExitOnIdle lets the process end': { allowExitOnIdle: true, idleTimeoutMillis: 60_000 },
  'without allowExitOnIdle the idle timeout ends the process': { idleTimeoutMillis: 50 },
}
for (const [name, options] of Object.entries(exits)) {
  compat(name, async ({ child }) =>
    child(async ({ pg, config, observe }, given) => {
      const pool = new pg.Pool({ ...config, ...given })
      observe((await pool.query('select 1 as a')).rows)
      process.on('exit', () => observe(['exit', pool.totalCount, pool.idleCount]))
    }, { args: [options] }))
}
compat('allowExitOnIdle: a checked-out client holds the process', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const pool = new pg.Pool({ ...config, allowExitOnIdle: true, idleTimeoutMillis: 60_000 })
    await pool.query('select 1')
    const client = await pool.connect()
    setTimeout(() => {
      observe('the timer ran')
      client.release()
    }, 50).unref()
    process.on('exit', () => observe('exit'))
  }))
compat('allowExitOnIdle: a running query holds the process', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const pool = new pg.Pool({ ...config, allowExitOnIdle: true, idleTimeoutMillis: 60_000 })
    await pool.query('select 1')
    pool.query('select 2 as a, pg_sleep(0.1)').then(({ rows }) => observe(rows[0].a))
  }))
compat('an ended pool lets the process end', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const pool = new pg.Pool(config)
    observe((await pool.query('select 1 as a')).rows)
    await pool.end()
  }))
compat('an error of an idle client without a listener', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const pool = new pg.Pool({ ...config, max: 1 })
    const { rows } = await pool.query('select pg_backend_pid() as pid')
    process.on('uncaughtException', (error) => {
      observe(['uncaught', error.code, error.message])
      process.exit(3)
    })
    const killer = new pg.Client(config)
    await killer.connect()
    await killer.query('select pg_terminate_backend($1)', [rows[0].pid])
    await killer.end()
    await new Promise((resolve) => setTimeout(resolve, 300))
    observe('the process goes on')
    process.exit(0)
  }))
