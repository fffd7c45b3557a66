// Every form a query can take, and what each option of a query object does.
import { suite } from './harness.mjs'

const { compat, query } = await suite(import.meta.url)

compat('every form of a call', async ({ client, callback, pg, capture }) => {
  const connected = await client()
  const text = 'select 1 as a'
  const withValue = 'select $1::int as a'
  const results = [
    await capture(connected.query(text)),
    await capture(connected.query(text, [])),
    await capture(connected.query(text, undefined)),
    await capture(connected.query(text, null)),
    await capture(connected.query(withValue, [2])),
    await capture(connected.query({ text })),
    await capture(connected.query({ text: withValue, values: [3] })),
    await capture(connected.query({ text: withValue }, [4])),
    await capture(connected.query({ text: withValue, values: [5] }, [6])),
    await capture(connected.query({ text: withValue, values: [5] }, undefined)),
  ]
  const calls = [
    (done) => connected.query(text, done),
    (done) => connected.query(text, [], done),
    (done) => connected.query(text, null, done),
    (done) => connected.query(text, undefined, done),
    (done) => connected.query(withValue, [7], done),
    (done) => connected.query({ text }, done),
    (done) => connected.query({ text: withValue, values: [8] }, done),
    (done) => connected.query({ text: withValue }, [9], done),
    (done) => connected.query({ text, callback: done }),
    (done) => connected.query(new pg.Query(text, done)),
    (done) => connected.query(new pg.Query(withValue, [10], done)),
    (done) => connected.query(new pg.Query({ text: withValue, values: [11] }), done),
    (done) => connected.query(new pg.Query({ text: withValue, values: [12] }, done)),
    (done) => connected.query(new pg.Query({ text: withValue, values: [13], callback: done })),
    (done) => connected.query(new pg.Query(text), [], done),
  ]
  const returned = []
  for (const call of calls) {
    const done = callback()
    returned.push(await capture(() => call(done)))
    await done.called
  }
  return { results, returned }
})

compat('a callback that is no function throws at once', async ({ client, capture }) => {
  const connected = await client()
  return [
    await capture(() => connected.query('select 1', [], 'not a function')),
    await capture(() => connected.query({ text: 'select 1', callback: 5 })),
    await connected.query('select 1 as after'),
  ]
})

compat('the config object is not changed', async ({ client }) => {
  const connected = await client()
  const config = Object.freeze({ text: 'select $1::int as a', values: Object.freeze([1]), rowMode: 'array', name: 'frozen' })
  return [await connected.query(config), await connected.query(config), Object.keys(config)]
})

compat('a config object with a prototype and getters', async ({ client }) => {
  class Sql {
    constructor(text, values) {
      this.strings = text
      this.values = values
    }
    get text() {
      return `${this.strings} as a`
    }
  }
  const connected = await client()
  return [await connected.query(new Sql('select $1::int', [5])), await connected.query(Object.create({ text: 'select 6 as a' }))]
})

compat('a String object is a config without text', async ({ client, capture }) => capture((await client()).query(new String('select 1 as a'))))
compat('a number, an array, true', async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (const config of [5, ['select 1'], true]) results.push(await capture(() => connected.query(config)))
  return results
})

compat('unknown options are ignored', async ({ client }) => (await client()).query({ text: 'select 1 as a', timeout: 5, nope: true, prepare: false, rows: undefined }))

for (const rowMode of ['array', 'object', undefined, null, 'ARRAY', true]) {
  query(`rowMode ${rowMode}`, () => ({ text: 'select 1 as a, 2 as a', rowMode }))
}

for (const queryMode of ['extended', 'simple', undefined, 'EXTENDED']) {
  query(`queryMode ${queryMode}`, () => ({ text: 'select 1 as a; select 2 as b', queryMode }))
}
query('queryMode extended with values', () => ({ text: 'select $1::int as a', values: [1], queryMode: 'extended' }))
query('queryMode extended without values', () => ({ text: 'select 1 as a, now() is not null as b', queryMode: 'extended' }))

const mixed = `select 1::int2 as i2, 2::int4 as i4, 3::int8 as i8, 'x'::text as t, true as b, 1.5::float8 as f8, 2.5::float4 as f4, 1.25::numeric as n, null::int as nothing,
  timestamptz '2024-01-02 03:04:05.678901+00' as tz, timestamp '2024-01-02 03:04:05' as ts, 'v'::varchar as v, 7::oid as o`
query('binary true', () => ({ text: mixed, binary: true }))
query('binary false', () => ({ text: mixed, binary: false, queryMode: 'extended' }))
query('binary without values or name stays text: the simple protocol has no formats', () => ({ text: 'select 5 as a', binary: true }))
query('binary with values', () => ({ text: 'select $1::int as a, $2::text as b', values: [5, 'x'], binary: true }))
query('binary, extended', () => ({ text: mixed, binary: true, queryMode: 'extended' }))
query('binary, rowMode array', () => ({ text: mixed, binary: true, queryMode: 'extended', rowMode: 'array' }))
query('binary of types without a parser', () => ({ text: `select 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid as x, '{"a":1}'::json as j, '\\x00ff'::bytea as by, date '2024-01-02' as d, interval '1 day' as i`, binary: true, queryMode: 'extended' }))
query('binary: bytes that are no UTF-8', () => ({ text: `select '\\xfffe80'::bytea as a, 200::int2 as b, 255::int4 as c, -1::int8 as d, -1.5::float8 as e, 1e300::float8 as f`, binary: true, queryMode: 'extended' }))

compat('binary for the whole client', async ({ client }) => {
  const connected = await client({ binary: true })
  return [await connected.query(mixed), await connected.query({ text: mixed, queryMode: 'extended' }), await connected.query({ text: mixed, queryMode: 'extended', binary: false })]
})
compat('binary through a pool', async ({ pool }) => pool({ binary: true }).query('select $1::int as a, 2::int8 as b', [1]))

compat('rows: a page size, all rows in the end', async ({ client }) => {
  const connected = await client()
  const results = []
  for (const rows of [1, 3, 10, 11]) results.push(await connected.query({ text: 'select n from generate_series(1, 10) n', rows }))
  return results
})
// pg never sends the Sync that would end the failed series, so nothing after it is answered; only the error itself is compared.
compat('rows with an error in a later page', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const connected = await opened.connect()
  const failed = await capture(connected.query({ text: 'select 10 / (4 - n) as n from generate_series(1, 10) n', rows: 2 }))
  connected.release(true)
  return { failed, after: await opened.query('select 1 as after') }
})
compat('rows on statements that give none', { setup: 'create table t (a int)' }, async ({ client }) => {
  const connected = await client()
  return [await connected.query({ text: 'insert into t values (1), (2), (3) returning a', rows: 2 }), await connected.query({ text: 'set enable_seqscan = on', rows: 2 }), await connected.query('select count(*) from t')]
})

compat('a portal name', async ({ client }) => (await client()).query({ text: 'select $1::int as a', values: [1], portal: 'named portal' }))

compat('a Query object without callback: its events', async ({ client, pg, watch, once }) => {
  const connected = await client()
  const query = watch(new pg.Query('select n, null as x from generate_series(1, 3) n'), 'query', ['row', 'end', 'error'])
  const returned = connected.query(query)
  await once(query, 'end')
  return { same: returned === query, thenable: typeof returned.then }
})
compat('a Query object with a callback still emits rows', async ({ client, pg, watch, callback }) => {
  const connected = await client()
  const done = callback()
  const query = watch(new pg.Query('select n from generate_series(1, 3) n', done), 'query', ['row', 'end', 'error'])
  connected.query(query)
  await done.called
})
compat('a Query object with rowMode array', async ({ client, pg, watch, once }) => {
  const connected = await client()
  const query = watch(connected.query(new pg.Query({ text: 'select 1 as a, 2 as a', rowMode: 'array' })), 'query', ['row', 'end'])
  await once(query, 'end')
})
compat('a Query object that fails: error event', async ({ client, pg, watch, once }) => {
  const connected = await client()
  const query = watch(connected.query(new pg.Query('select nope')), 'query', ['row', 'end', 'error'])
  await once(query, 'error')
  return connected.query('select 1 as after')
})
compat('a Query object used twice', async ({ client, pg, capture, callback }) => {
  const connected = await client()
  const first = callback('first')
  const query = new pg.Query('select 1 as a', first)
  connected.query(query)
  await first.called
  const again = await capture(() => connected.query(query))
  await connected.query('select 2 as b')
  return again
})
compat('a Query object with row listeners accumulates no rows', async ({ client, pg, once }) => {
  const connected = await client()
  const query = new pg.Query('select n from generate_series(1, 3) n')
  let seen = 0
  query.on('row', () => seen++)
  connected.query(query)
  const [result] = await once(query, 'end')
  return { seen, result }
})
compat('a Query object without row listeners accumulates rows', async ({ client, pg, once }) => {
  const connected = await client()
  const query = connected.query(new pg.Query('select n from generate_series(1, 3) n'))
  return once(query, 'end')
})
compat('row events get the row and the result', async ({ client, pg, once, note }) => {
  const connected = await client()
  const query = connected.query(new pg.Query('select 1 as a, 2 as b'))
  query.on('row', (row, result) => {
    result.addRow(row)
    note('row', row, result instanceof pg.Result, result.fields.length)
  })
  return once(query, 'end')
})
compat('an exception thrown in a row listener', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    const caught = new Promise((resolve) => {
      process.on('uncaughtException', (error) => {
        observe(['uncaught', error.message])
        resolve()
      })
    })
    const query = client.query(new pg.Query('select 1 as a'))
    query.on('row', () => {
      throw new Error('thrown by a row listener')
    })
    await caught
    // Time for a second one.
    await new Promise((resolve) => setTimeout(resolve, 100))
    process.exit()
  }))
compat('an exception thrown in a callback is uncaught and the client goes on', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve))
    client.query('select 1 as a', () => {
      throw new Error('thrown by a callback')
    })
    observe((await caught).message)
    observe(await client.query('select 2 as b'))
    await client.end()
  }))

compat('a submittable object of one’s own', async ({ client, note, once }) => {
  const connected = await client()
  const { EventEmitter } = await import('node:events')
  const finished = new EventEmitter()
  const submittable = {
    submit(connection) {
      note('submit', typeof connection.query)
      connection.query('select 1 as a, null as b')
    },
    handleRowDescription: (message) => note('rowDescription', message.fields),
    handleDataRow: (message) => note('dataRow', message.fields),
    handleCommandComplete: (message) => note('commandComplete', message.text),
    handleReadyForQuery() {
      note('readyForQuery')
      finished.emit('done')
    },
    handleError: (error) => note('error', error),
  }
  const done = once(finished, 'done')
  const returned = connected.query(submittable)
  await done
  return { same: returned === submittable, after: await connected.query('select 2 as after') }
})
compat('a submittable whose submit gives an error', async ({ client, note, callback }) => {
  const connected = await client()
  let failed
  const over = new Promise((resolve) => (failed = resolve))
  connected.query({
    submit: () => new Error('not submitted'),
    handleError(error) {
      note('handleError', error)
      failed()
    },
  })
  await over
  return connected.query('select 1 as after')
})

compat('a Query as a promise: none', async ({ client, pg, once }) => {
  const connected = await client()
  const query = connected.query(new pg.Query('select 1 as a'))
  const kind = typeof query.then
  await once(query, 'end')
  return kind
})

compat('pool.query with every form', async ({ pool, callback, capture }) => {
  const opened = pool({ max: 1 })
  const results = [
    await capture(opened.query('select 1 as a')),
    await capture(opened.query('select $1::int as a', [2])),
    await capture(opened.query({ text: 'select $1::int as a', values: [3] })),
    await capture(opened.query({ text: 'select $1::int as a' }, [4])),
    await capture(opened.query({ text: 'select $1::int as a', values: [5], rowMode: 'array' })),
    await capture(opened.query({ name: 'p', text: 'select $1::int as a', values: [6] })),
  ]
  for (const call of [
    (done) => opened.query('select 1 as a', done),
    (done) => opened.query('select $1::int as a', [2], done),
    (done) => opened.query({ text: 'select 3 as a' }, done),
    (done) => opened.query({ text: 'select $1::int as a' }, [4], done),
  ]) {
    const done = callback()
    results.push(await capture(() => call(done)))
    await done.called
  }
  return results
})
compat('pool.query with a callback in the config: both are called', async ({ pool, callback, capture, settle }) => {
  const opened = pool({ max: 1 })
  const done = callback('config callback')
  return Promise.race([capture(opened.query({ text: 'select 1 as a', callback: done })), done.called.then(() => settle()).then(() => 'only the callback')])
})
compat('pool.query with a Query object', async ({ pool, pg, callback, capture }) => {
  const opened = pool({ max: 1 })
  const done = callback()
  const result = await capture(() => opened.query(new pg.Query('select 1 as a'), done))
  await done.called
  return result
})
compat('pool.query with a function first', async ({ pool, callback, capture }) => {
  const opened = pool({ max: 1 })
  const done = callback()
  const returned = await capture(() => opened.query(done))
  await done.called
  return { returned, total: opened.totalCount }
})
