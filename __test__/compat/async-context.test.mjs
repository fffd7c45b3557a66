// AsyncLocalStorage: what a callback or a listener finds is what its caller had.
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
