// AsyncLocalStorage and domains: what a callback or a listener finds is what its caller had.
import { AsyncLocalStorage } from 'node:async_hooks'
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

compat('of a client: callbacks, events, promises', async ({ pg, config }) => {
  const store = new AsyncLocalStorage()
  const seen = []
  await store.run('caller', async () => {
    const client = new pg.Client(config)
    client.on('end', () => seen.push(['end', store.getStore()]))
    client.on('notification', ({ payload }) => seen.push([payload, store.getStore()]))
    await new Promise((resolve) => client.connect(() => resolve(seen.push(['connect', store.getStore()]))))
    await client.query('listen async_context')
    await client.query("notify async_context, 'notification'")
    await new Promise((resolve) => client.query('select 1', () => resolve(seen.push(['query', store.getStore()]))))
    await client.query('select $1::int', [1]).then(() => seen.push(['then', store.getStore()]))
    await new Promise((resolve) => client.end(() => resolve(seen.push(['end callback', store.getStore()]))))
  })
  return seen
})
compat('of a pool: promises and the callback of connect()', async ({ pool }) => {
  const store = new AsyncLocalStorage()
  const opened = pool({ max: 1 })
  return store.run('caller', async () => {
    const { rows } = await opened.query('select 1 as a')
    const after = store.getStore()
    const connected = await new Promise((resolve) => opened.connect((_error, _client, release) => resolve([store.getStore(), release()])))
    return [rows, after, connected[0]]
  })
})

/** Who asks for a pool's first connection, in a context of its own each time. */
const askers = {
  'connect(callback)': (pool) => new Promise((resolve) => pool.connect((error, client, release) => resolve(release?.()))),
  'connect()': async (pool) => (await pool.connect()).release(),
  'query()': (pool) => pool.query('select 1'),
  'query(callback)': (pool) => new Promise((resolve) => pool.query('select 1', resolve)),
}
for (const [how, ask] of Object.entries(askers)) {
  compat(`of a pool: events of new connections, by ${how}`, async ({ pool }) => {
    const store = new AsyncLocalStorage()
    const seen = []
    const opened = pool({ max: 2 })
    for (const event of ['connect', 'acquire']) opened.on(event, () => seen.push([event, store.getStore()]))
    await store.run('first', () => ask(opened))
    // The second is made while the first is in use.
    const held = await opened.connect()
    await store.run('second', () => ask(opened))
    held.release()
    return seen.filter(([, who]) => who !== undefined)
  })
}
compat('of a pool: the callback of connect(), on a new connection and on an idle one', async ({ pool }) => {
  const store = new AsyncLocalStorage()
  const opened = pool({ max: 1 })
  const seen = []
  for (const caller of ['first', 'second']) {
    await new Promise((resolve) => store.run(caller, () => opened.connect((_error, _client, release) => resolve(seen.push([store.getStore(), release()])))))
  }
  return seen
})
compat('of a pool: the callback of connect(), when no connection can be made', async ({ pool }) => {
  const store = new AsyncLocalStorage()
  const opened = pool({ max: 1, port: 1 })
  return new Promise((resolve) => store.run('caller', () => opened.connect((error) => resolve([error.code, store.getStore()]))))
})
compat('of a pool: onConnect and verify', async ({ pool }) => {
  const store = new AsyncLocalStorage()
  const seen = []
  const opened = pool({
    max: 1,
    onConnect: async (client) => {
      seen.push(['onConnect', store.getStore()])
      await client.query('select 1')
      seen.push(['onConnect, later', store.getStore()])
    },
    verify: (_client, done) => {
      seen.push(['verify', store.getStore()])
      done()
    },
  })
  await store.run('caller', () => opened.query('select 1'))
  return seen
})
compat('of a pool: events of a client', async ({ pool }) => {
  const store = new AsyncLocalStorage()
  const opened = pool({ max: 1 })
  const seen = []
  await store.run('caller', async () => {
    const client = await opened.connect()
    client.on('notice', () => seen.push(['notice', store.getStore()]))
    await client.query(`do $$ begin raise notice 'x'; end $$`)
    client.release()
  })
  return seen
})
compat('a domain: of a client and of a pool', ({ child }) =>
  child(async ({ pg, config, observe, require }) => {
    const domain = require('node:domain')
    const context = domain.create()
    context.name = 'the domain'
    const here = (what) => observe([what, process.domain?.name])
    const client = new pg.Client(config)
    const pool = new pg.Pool({ ...config, max: 1 })
    await new Promise((resolve) => context.run(() => client.connect(() => resolve(here('client.connect')))))
    await new Promise((resolve) => context.run(() => client.query('select 1', () => resolve(here('client.query')))))
    await new Promise((resolve) => context.run(() => pool.connect((_error, _client, release) => resolve([here('pool.connect, new'), release()]))))
    await new Promise((resolve) => context.run(() => pool.connect((_error, _client, release) => resolve([here('pool.connect, idle'), release()]))))
    await new Promise((resolve) => context.run(() => pool.query('select 1', () => resolve(here('pool.query')))))
    await client.end()
    await pool.end()
  }))
compat('a domain gets what callbacks throw', ({ child }) =>
  child(async ({ pg, config, observe, require }) => {
    const domain = require('node:domain')
    process.on('uncaughtException', (error) => observe(['uncaught', error.message]))
    const caughtIn = async (what, start) => {
      const context = domain.create()
      const caught = new Promise((resolve) => context.on('error', resolve))
      context.run(() => start(() => {
        throw new Error(what)
      }))
      observe(['the domain caught', (await caught).message])
    }
    const pool = new pg.Pool({ ...config, max: 1 })
    const client = new pg.Client(config)
    await client.connect()
    await caughtIn('client.query', (fail) => client.query('select 1', fail))
    await caughtIn('client.query with values', (fail) => client.query('select $1::int', [1], fail))
    await caughtIn('pool.connect, new', (fail) => pool.connect((_error, _client, release) => {
      release(true)
      fail()
    }))
    await pool.query('select 1')
    await caughtIn('pool.connect, idle', (fail) => pool.connect((_error, _client, release) => {
      release()
      fail()
    }))
    await caughtIn('pool.connect that fails', (fail) => new pg.Pool({ ...config, port: 1 }).connect(fail))
    await client.end()
    await pool.end()
  }))
