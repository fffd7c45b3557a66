// `pipeline: true` on a client, as pg 8.23 has it: what is sent when, what ends it.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

compat('many queries at once', async ({ client }) => {
  const connected = await client({ pipeline: true })
  return Promise.all(Array.from({ length: 10 }, (_, i) => connected.query('select $1::int as n', [i]))).then((results) => results.map(({ rows }) => rows[0].n))
})
compat('an error in the middle concerns its query only', async ({ client, capture }) => {
  const connected = await client({ pipeline: true })
  return Promise.all(['select 1 as a', 'select nope', 'select 2 as b', 'select 1/0', 'select 3 as c'].map((text) => capture(connected.query(text))))
})
compat('a transaction', { setup: 'create table t (a int)' }, async ({ client, capture }) => {
  const connected = await client({ pipeline: true })
  const results = await Promise.all(['begin', 'insert into t values (1)', 'select nope', 'insert into t values (2)', 'commit', 'select count(*)::int from t'].map((text) => capture(connected.query(text))))
  return results.map(({ resolved, rejected }) => resolved ?? rejected.code)
})
compat('named statements', async ({ client }) => {
  const connected = await client({ pipeline: true })
  return Promise.all([1, 2, 3].map((n) => connected.query({ name: 'n', text: 'select $1::int as n', values: [n] })))
})
compat('end drains', async ({ client, capture }) => {
  const connected = await client({ pipeline: true })
  const results = Array.from({ length: 5 }, (_, i) => capture(connected.query('select $1::int as n', [i])))
  await connected.end()
  return (await Promise.all(results)).map(({ resolved, rejected }) => resolved?.rows ?? rejected)
})
compat('`rows` and submittables are refused', async ({ client, capture }) => {
  const connected = await client({ pipeline: true })
  let failed
  const refused = new Promise((resolve) => (failed = resolve))
  connected.query({ submit() {}, handleError: (error) => failed(error) })
  return [await capture(connected.query({ text: 'select 1', rows: 1 })), await refused, await connected.query('select 1 as after')]
})

const inTurn = (context, promises) => promises.map((promise, i) => context.capture(promise).then((outcome) => {
  context.note(i + 1, outcome.rejected ?? outcome.resolved?.rows ?? outcome)
  return outcome
}))

compat('end() while connecting: what was asked before is answered', async (context) => {
  const client = context.watch(context.newClient({ pipeline: true }), 'client', ['connect', 'error', 'end'])
  const connected = context.capture(client.connect())
  const answers = inTurn(context, [client.query('select 1 as a'), client.query('select nope'), client.query('select 2 as b')])
  const ended = context.once(client, 'end')
  const end = context.capture(client.end())
  const late = context.capture(client.query('select 3'))
  await Promise.all(answers)
  await ended
  return { connected: (await connected).resolved === client, end: await end, late: await late }
})
compat('end(callback) while connecting, nothing asked', async (context) => {
  const client = context.watch(context.newClient({ pipeline: true }), 'client', ['error', 'end'])
  client.connect((error) => context.note('connect', error?.message))
  const called = context.callback('end callback')
  client.end(called)
  await called.called
  await context.settle()
})
compat('end() while connecting to where nothing listens', async (context) => {
  const client = context.watch(context.newClient({ pipeline: true, port: 1 }), 'client', ['error', 'end'])
  const connected = context.capture(client.connect())
  const query = context.capture(client.query('select 1'))
  const end = context.capture(client.end())
  return { connected: (await connected).rejected?.code, query: await query, end: await end }
})
compat('end() in the connect callback', async (context) => {
  const client = context.watch(context.newClient({ pipeline: true }), 'client', ['drain', 'error', 'end'])
  const ended = context.once(client, 'end')
  client.connect(() => {
    context.capture(client.query('select 1 as a')).then((outcome) => context.note('answer', outcome.resolved?.rows ?? outcome))
    client.end(() => context.note('end callback'))
  })
  await ended
  await context.settle()
})
compat('query_timeout of a query on its way ends the connection', async (context) => {
  const client = context.watch(await context.client({ pipeline: true }), 'client', ['error', 'end', 'drain'])
  const ended = context.once(client, 'end')
  const answers = inTurn(context, [
    client.query({ text: 'select pg_sleep(2)', query_timeout: 50 }),
    client.query('select 2 as b'),
    client.query('select 3 as c'),
  ])
  await Promise.all(answers)
  await ended
  return { next: await context.capture(client.query('select 4')), end: await context.capture(client.end()) }
})
compat('query_timeout of a query behind a slow one ends the connection', async (context) => {
  const client = context.watch(await context.client({ pipeline: true }), 'client', ['error', 'end'])
  const ended = context.once(client, 'end')
  const answers = inTurn(context, [client.query('select pg_sleep(2)'), client.query({ text: 'select 2 as b', query_timeout: 50 })])
  await Promise.all(answers)
  await ended
})
compat('query_timeout after end() ends the connection', async (context) => {
  const client = context.watch(await context.client({ pipeline: true }), 'client', ['error', 'end'])
  const ended = context.once(client, 'end')
  const answers = inTurn(context, [client.query({ text: 'select pg_sleep(2)', query_timeout: 50 }), client.query('select 2 as b')])
  const end = context.capture(client.end())
  await Promise.all(answers)
  await ended
  return end
})
compat('query_timeout of a query that was not sent yet leaves the connection', async (context) => {
  const client = context.watch(context.newClient({ pipeline: true }), 'client', ['error'])
  const timedOut = context.capture(client.query({ text: 'select 1', query_timeout: 20 }))
  const outcome = await timedOut
  await client.connect()
  return [outcome, await client.query('select 2 as b')]
})
compat('query_timeout with a callback and of a Query object', async (context) => {
  const client = context.watch(await context.client({ pipeline: true }), 'client', ['error', 'end'])
  const ended = context.once(client, 'end')
  const called = context.callback('callback')
  client.query({ text: 'select pg_sleep(2)', query_timeout: 50 }, called)
  const query = new context.pg.Query('select 2 as b')
  context.watch(query, 'query', ['row', 'error', 'end'])
  client.query(query)
  await called.called
  await ended
  await context.settle()
})
compat('query_timeout that does not pass', async ({ client }) => {
  const connected = await client({ pipeline: true, query_timeout: 10_000 })
  return Promise.all([connected.query('select 1 as a'), connected.query('select 2 as b')])
})
compat('a pool of pipelining clients: query_timeout', async (context) => {
  const pool = context.watch(context.pool({ pipeline: true, max: 1 }), 'pool', ['release', 'remove', 'error'])
  const removed = context.once(pool, 'remove')
  const failed = await context.capture(pool.query({ text: 'select pg_sleep(2)', query_timeout: 50 }))
  await removed
  await context.settle()
  return [failed, pool.totalCount, (await pool.query('select 1 as a')).rows]
})
