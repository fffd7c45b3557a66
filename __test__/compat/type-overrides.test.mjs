// Type parsers of one's own: per client, per query, per pool, for the whole process.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)
const text = `select 1::int4 as i, 2::int8 as big, 'x'::text as t, '{1,2}'::int4[] as a, '{3}'::int8[] as b, null::int4 as n, '2024-01-02'::date as d`

compat('client.setTypeParser', async ({ client, capture }) => {
  const connected = await client()
  const before = await connected.query(text)
  const returned = await capture(() => connected.setTypeParser(23, (value) => `int <${value}> ${typeof value}`))
  connected.setTypeParser(20, 'text', (value) => BigInt(value))
  return { before, returned, after: await connected.query(text), extended: await connected.query({ text, queryMode: 'extended' }), other: await (await client()).query(text) }
})
compat('client.setTypeParser for binary', async ({ client }) => {
  const connected = await client()
  connected.setTypeParser(23, 'binary', (value) => ['binary', Buffer.isBuffer(value), value.toString('hex')])
  return [await connected.query(text), await connected.query({ text, queryMode: 'extended', binary: true })]
})
compat('client.setTypeParser for a user type by its OID', { setup: `create type mood as enum ('a', 'b')` }, async ({ client }) => {
  const connected = await client()
  const { rows } = await connected.query(`select oid from pg_type where typname = 'mood'`)
  connected.setTypeParser(rows[0].oid, (value) => ({ mood: value }))
  return connected.query(`select 'a'::mood as m, null::mood as n`)
})
compat('client.getTypeParser', async ({ client, pg, capture }) => {
  const connected = await client()
  const own = (value) => value
  connected.setTypeParser(23, own)
  return {
    own: connected.getTypeParser(23) === own,
    ownText: connected.getTypeParser(23, 'text') === own,
    binary: connected.getTypeParser(23, 'binary') === pg.types.getTypeParser(23, 'binary'),
    global: connected.getTypeParser(16) === pg.types.getTypeParser(16),
    unknown: await capture(() => connected.getTypeParser(999_999)(5)),
    applied: connected.getTypeParser(20)('12'),
  }
})
compat('a parser set while queries are queued', async ({ client }) => {
  const connected = await client()
  const first = connected.query('select 1::int4 as a')
  const second = connected.query('select 2::int4 as a')
  connected.setTypeParser(23, (value) => `parsed ${value}`)
  return [await first, await second, await connected.query('select 3::int4 as a')]
})
compat('a parser set before connecting', async ({ newClient }) => {
  const fresh = newClient()
  fresh.setTypeParser(23, (value) => `early ${value}`)
  await fresh.connect()
  return fresh.query(text)
})
compat('a parser replaced between two runs of one statement', async ({ client }) => {
  const connected = await client()
  const results = []
  for (const tag of ['first', 'second', 'third']) {
    connected.setTypeParser(23, (value) => `${tag} ${value}`)
    results.push(await connected.query({ name: 'same', text: 'select $1::int4 as a', values: [5] }))
    results.push(await connected.query('select $1::int4 as a', [5]))
    results.push(await connected.query('select 5 as a'))
  }
  return results
})
compat('types in the client config', async ({ client, note }) => {
  const types = { getTypeParser: (oid, format) => { note('getTypeParser', oid, format); return (value) => `${oid} ${format} ${value}` } }
  return (await client({ types })).query(text)
})
compat('types in the client config and setTypeParser: the client’s wins', async ({ client }) => {
  const connected = await client({ types: { getTypeParser: (oid) => (value) => `config ${oid} ${value}` } })
  connected.setTypeParser(23, (value) => `own ${value}`)
  return connected.query(text)
})
compat('types per query', async ({ client, note }) => {
  const connected = await client()
  connected.setTypeParser(23, () => 'the client’s')
  const types = { getTypeParser: (oid, format) => { note('getTypeParser', oid, format); return (value) => `query ${oid} ${value}` } }
  return [await connected.query({ text, types }), await connected.query({ text: 'select $1::int4 as a', values: [1], types: undefined }), await connected.query(text)]
})
compat('types per query in extended mode', async ({ client }) => {
  const types = { getTypeParser: (oid, format) => (value) => [oid, format, value] }
  const connected = await client()
  return [await connected.query({ text: 'select $1::int4 as a, $2::text as b', values: [1, 'x'], types }), await connected.query({ text: 'select $1::int4 as a, $2::text as b', values: [1, 'x'] })]
})
compat('types per query in binary', async ({ client }) => {
  const types = { getTypeParser: (oid, format) => (value) => [oid, format, Buffer.isBuffer(value) ? value.toString('hex') : value] }
  return (await client()).query({ text: 'select $1::int4 as a', values: [1], types, binary: true })
})
compat('types per query with rowMode array', async ({ client }) =>
  (await client()).query({ text, rowMode: 'array', types: { getTypeParser: (oid) => (value) => `${oid} ${value}` } }))
compat('types for all connections of a pool', async ({ pool }) => {
  const opened = pool({ max: 2, types: { getTypeParser: (oid) => (value) => `pool ${oid} ${value}` } })
  return Promise.all([opened.query('select 1::int4 as a'), opened.query('select 2::int8 as b'), opened.query('select $1::text as c', ['x'])])
})
compat('setTypeParser on a checked-out client stays with that connection', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const connected = await opened.connect()
  connected.setTypeParser(23, (value) => `kept ${value}`)
  connected.release()
  return opened.query('select 1::int4 as a')
})
compat('setTypeParser on connect of a pool', async ({ pool }) => {
  const opened = pool({ max: 2 })
  opened.on('connect', (connected) => connected.setTypeParser(20, (value) => Number(value)))
  return Promise.all([opened.query('select 1::int8 as a'), opened.query('select 2::int8 as a'), opened.query('select 3::int8 as a')])
})
compat('a parser that throws rejects the query and keeps the connection', async ({ client, capture }) => {
  const connected = await client()
  connected.setTypeParser(23, (value) => {
    if (value === '2') throw new TypeError('cannot parse 2')
    return value
  })
  return [
    await capture(connected.query('select n::int4 from generate_series(1, 3) n')),
    await connected.query('select 1::int4 as a'),
    await capture(connected.query('select $1::int4 as a', [2])),
    await capture(connected.query('select 2::int4 as a; select 3 as b')),
    await connected.query('select 3::int4 as a'),
  ]
})
compat('a parser that throws, then an error of the server', async ({ client, capture }) => {
  const connected = await client()
  connected.setTypeParser(23, () => { throw new TypeError('cannot parse') })
  return [await capture(connected.query('select 1::int4; select 1/0')), await connected.query(`select 'x' as after`)]
})
compat('a parser that throws, with row events', async ({ client, pg, watch, once }) => {
  const connected = await client()
  connected.setTypeParser(23, (value) => {
    if (value === '2') throw new TypeError('cannot parse 2')
    return value
  })
  const query = watch(connected.query(new pg.Query('select n::int4 from generate_series(1, 3) n')), 'query', ['row', 'end', 'error'])
  await once(query, 'error')
  return connected.query(`select 'x' as after`)
})
compat('parsers see every value that is not null, in order', async ({ client, note }) => {
  const connected = await client()
  connected.setTypeParser(25, (...args) => { note(...args); return args[0] })
  return connected.query(`select * from (values ('a'::text, null::text), (null, 'b'), ('', 'c')) t (x, y)`)
})
compat('a parser that gives undefined, a function, a promise', async ({ client }) => {
  const connected = await client()
  connected.setTypeParser(23, () => undefined)
  connected.setTypeParser(20, () => () => 1)
  connected.setTypeParser(25, async () => 1)
  return connected.query(`select 1::int4 as a, 2::int8 as b, 'x'::text as c`)
})
compat('TypeOverrides by hand', async ({ pg, client }) => {
  const overrides = new pg.TypeOverrides()
  overrides.setTypeParser(23, (value) => `override ${value}`)
  const nested = new pg.TypeOverrides(overrides)
  nested.setTypeParser(20, 'text', (value) => `nested ${value}`)
  const connected = await client()
  return [await connected.query({ text, types: overrides }), await connected.query({ text, types: nested }), nested.getTypeParser(23)('1'), Object.keys(nested).length]
})
compat('types.builtins', async ({ pg }) => pg.types.builtins)
compat('types: what it exports', async ({ pg }) => Object.keys(pg.types).sort())
compat('types.getTypeParser, called by hand', async ({ pg, capture }) => {
  const calls = [[16, 't'], [20, '12'], [23, '-5'], [114, '{"a":1}'], [1082, '2024-01-02'], [1184, '2024-01-02 03:04:05+00'], [1007, '{1,2}'], [17, '\\x00ff'], [600, '(1,2)'], [718, '<(1,2),3>'], [1186, '1 day'], [99999, 'x'], [114, 'not json']]
  const results = []
  for (const [oid, value] of calls) results.push(await capture(() => pg.types.getTypeParser(oid)(value)))
  results.push(await capture(() => pg.types.getTypeParser(23, 'binary')(Buffer.from([0, 0, 1, 0]))), await capture(() => pg.types.getTypeParser(23, 'nope')(5)))
  results.push(pg.types.arrayParser.create('{1,NULL,"a b"}', (entry) => entry).parse())
  return results
})

/** Settings that hold for a whole process run in one of their own. */
compat('types.setTypeParser for the whole process', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const pool = new pg.Pool({ ...config, max: 1 })
    const text = `select 1::int4 as a, 2::int8 as b, '{1}'::int4[] as c, 'x'::text as d`
    observe((await pool.query(text)).rows)
    pg.types.setTypeParser(23, (value) => `global ${value}`)
    pg.types.setTypeParser(pg.types.builtins.INT8, 'text', BigInt)
    pg.types.setTypeParser(25, (value) => value.toUpperCase())
    observe((await pool.query(text)).rows, (await pool.query(`${text} where $1`, [true])).rows)
    const client = await pool.connect()
    client.setTypeParser(23, (value) => `client ${value}`)
    observe((await client.query(text)).rows, (await client.query({ text, types: { getTypeParser: () => String } })).rows)
    client.release()
    await pool.end()
  }))
compat('parseInt8', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    const text = `select 1::int8 as a, 9007199254740993::int8 as b, '{1,NULL,9223372036854775807}'::int8[] as c, count(*) from generate_series(1, 3)`
    observe((await client.query(text)).rows)
    pg.defaults.parseInt8 = true
    observe((await client.query(text)).rows, (await client.query({ text, queryMode: 'extended' })).rows, pg.defaults.parseInt8)
    pg.defaults.parseInt8 = false
    observe((await client.query(text)).rows)
    await client.end()
  }))
compat('pg-types itself is the same registry', async ({ child }) =>
  child(async ({ pg, config, observe, require }) => {
    const types = require('pg-types')
    observe(types === pg.types)
    types.setTypeParser(1700, parseFloat)
    types.setTypeParser(1114, (value) => value)
    const client = new pg.Client(config)
    await client.connect()
    observe((await client.query(`select 1.50::numeric as n, timestamp '2024-01-02 03:04:05' as t, array[1.5::numeric] as a`)).rows)
    await client.end()
  }))
compat('defaults: keys and values', async ({ child }) =>
  child(async ({ pg, observe }) => {
    observe(Object.fromEntries(Object.entries(pg.defaults).filter(([key]) => key !== 'parseInt8')))
  }))
