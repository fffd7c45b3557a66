// query_timeout: the caller stops waiting, the server does not stop working.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)
const slow = 'select 1 as slow, pg_sleep(0.15)'
/** Outlasts a statement_timeout that leaves other statements time, however busy the machine is. */
const slower = 'select 1 as slow, pg_sleep(10)'

compat('for the client', async ({ client, capture }) => {
  const connected = await client({ query_timeout: 30 })
  return [await capture(connected.query(slow))]
})
compat('for one query', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(connected.query({ text: slow, query_timeout: 30 }))]
})
compat('for one query, longer than the client’s', async ({ client, capture }) => {
  const connected = await client({ query_timeout: 30 })
  return [await capture(connected.query({ text: slow, query_timeout: 5000 }))]
})
compat('long enough', async ({ client }) => (await client({ query_timeout: 5000 })).query('select 1 as a'))
compat('0 means none', async ({ client }) => (await client({ query_timeout: 0 })).query({ text: 'select 1 as a, pg_sleep(0.02)', query_timeout: 0 }))
compat('with a callback', async ({ client, callback, settle }) => {
  const connected = await client({ query_timeout: 30 })
  const done = callback()
  connected.query(slow, done)
  await done.called
})
compat('a callback is called once', async ({ client, note }) => {
  const connected = await client()
  connected.query({ text: slow, query_timeout: 30 }, (error) => note('called', error))
  await connected.query('select 1').catch(() => {})
  await new Promise((resolve) => setTimeout(resolve, 250))
})
compat('the next query waits for the slow one and is answered', async ({ client, capture, note }) => {
  const connected = await client()
  const first = capture(connected.query({ text: slow, query_timeout: 30 }))
  note('first', await first)
  note('second', await connected.query('select 2 as a'))
})
compat('a query that times out while it is queued is never sent', { setup: 'create table t (a int)' }, async ({ client, capture }) => {
  const connected = await client()
  const first = connected.query(slow)
  const queued = await capture(connected.query({ text: 'insert into t values (1)', query_timeout: 20 }))
  await first
  return { queued, rows: (await connected.query('select * from t')).rows }
})
compat('through pool.query: the connection is dropped', async ({ pool, capture }) => {
  const opened = pool({ max: 1, query_timeout: 30 })
  const failed = await capture(opened.query(slow))
  return { failed, total: opened.totalCount, next: await capture(opened.query({ text: 'select 1 as a', query_timeout: 10_000 })) }
})
compat('on a checked-out client of a pool', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  const failed = await capture(client.query({ text: slow, query_timeout: 30 }))
  client.release(true)
  return { failed, next: await opened.query('select 1 as a') }
})
compat('statement_timeout beats it', async ({ client, capture }) => {
  const connected = await client({ statement_timeout: 500, query_timeout: 10_000 })
  return [await capture(connected.query(slower)), await connected.query('select 1 as after')]
})
compat('statement_timeout as a string', async ({ client, capture }) => {
  const connected = await client({ statement_timeout: '500' })
  return [await capture(connected.query(slower)), (await connected.query('show statement_timeout')).rows]
})
compat('an error before the timeout', async ({ client, capture }) => capture((await client({ query_timeout: 5000 })).query('select nope')))
compat('a Query object', async ({ client, pg, callback }) => {
  const connected = await client({ query_timeout: 30 })
  const done = callback()
  connected.query(new pg.Query(slow), done)
  await done.called
})
