// What a JavaScript value becomes on its way into a query, and which OIDs the server infers.
import { suite } from './harness.mjs'

const { compat, query } = await suite(import.meta.url)

/** Shows the text the server received, in a column whose type says nothing about it. */
function sent(name, value, type = 'text') {
  const make = typeof value === 'function' ? value : () => value
  compat(`${name} as ${type}`, async ({ client, capture }) => capture((await client()).query(`select $1::${type} as value, $1::${type}::text as text`, [make()])))
}

const text = {
  'null': null,
  'undefined': undefined,
  'an empty string': '',
  'a string': 'plain',
  'a string with quotes, backslashes and dollars': `' " \\ $1 $$ \n`,
  'a string of emoji': '😀名前',
  'a lone surrogate': '\ud800x',
  'a zero': 0,
  'a negative zero': -0,
  'an integer': 42,
  'a fraction': 0.1,
  'a large number': 1e21,
  'a small number': 1e-7,
  'NaN': NaN,
  'Infinity': Infinity,
  'a bigint': 123456789012345678901234567890n,
  'true': true,
  'false': false,
  'an object': { b: 1, a: [1, 'x', null, undefined], n: undefined },
  'an empty object': {},
  'a nested object': { a: { b: { c: 'quote " and \\ and \u2028' } } },
  'an empty array': [],
}
for (const [name, value] of Object.entries(text)) sent(name, value)

const made = {
  'a symbol': () => Symbol('s'),
  'a function': () => (a) => a + 1,
  'an object with toJSON': () => ({ toJSON: () => ({ from: 'toJSON' }) }),
  'an object whose toJSON gives undefined': () => ({ toJSON: () => undefined }),
  'an object with toString': () => ({ toString: () => 'from toString' }),
  'an object with toPostgres': () => ({ toPostgres: () => 'from toPostgres' }),
  'toPostgres gets prepareValue': () => ({ toPostgres: (prepare) => `${typeof prepare} ${prepare([1, 'a', null])} ${prepare.length}` }),
  'toPostgres that gives a Date': () => ({ toPostgres: () => new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 6)) }),
  'toPostgres that gives null': () => ({ toPostgres: () => null }),
  'toPostgres that gives an object': () => ({ toPostgres: () => ({ a: 1 }) }),
  'toPostgres that gives an array': () => ({ toPostgres: () => [1, [2, 3]] }),
  'toPostgres that gives another with toPostgres': () => ({ toPostgres: () => ({ toPostgres: () => 'deep' }) }),
  'toPostgres that throws': () => ({
    toPostgres() {
      throw new TypeError('no way')
    },
  }),
  'toPostgres that gives itself': () => {
    const self = { toString: () => 'self', toPostgres: () => self }
    return self
  },
  'toPostgres that is not a function': () => ({ toPostgres: 'text', a: 1 }),
  'toPostgres on the prototype': () => new (class Money { toPostgres() { return '12.50' } })(),
  'a circular object': () => {
    const circular = { a: 1 }
    circular.self = circular
    return circular
  },
  'an object that holds a bigint': () => ({ n: 1n }),
  'an object whose toString throws is JSON': () => ({ a: 1, toString() { throw new Error('never called') } }),
  'a String object': () => new String('boxed'),
  'a Number object': () => new Number(5),
  'a Boolean object': () => new Boolean(false),
  'a Map': () => new Map([['a', 1]]),
  'a Set': () => new Set([1]),
  'a RegExp': () => /x+/g,
  'an Error': () => new Error('in a parameter'),
  'a URL': () => new URL('http://example.com/a?b=c'),
  'an object without prototype': () => Object.assign(Object.create(null), { a: 1 }),
  'a class instance': () => new (class Point { x = 1; #secret = 2 })(),
  'a Date': () => new Date(Date.UTC(2024, 0, 2, 3, 4, 5, 678)),
  'a Date in summer': () => new Date(Date.UTC(2024, 6, 2, 3, 4, 5, 678)),
  'a Date before Christ': () => new Date(Date.UTC(-43, 2, 15)),
  'a Date in the year 0': () => { const date = new Date(Date.UTC(2000, 5, 1)); date.setUTCFullYear(0); return date },
  'a Date in the year 99': () => { const date = new Date(Date.UTC(2000, 5, 1)); date.setUTCFullYear(99); return date },
  'a Date in the year 20000': () => new Date(Date.UTC(20000, 0, 1)),
  'a Date of local mean time': () => new Date(Date.UTC(1800, 5, 1)),
  'an invalid Date': () => new Date(NaN),
  'the largest Date': () => new Date(8.64e15),
  'an object that inherits from Date': () => new (class Moment extends Date {})(0),
  'an ArrayBuffer': () => new Uint8Array([1, 2, 3]).buffer,
}
for (const [name, value] of Object.entries(made)) sent(name, value)

const arrays = {
  'an array of strings': ['a', 'b c', '', 'NULL', 'null', '"', '\\', "'", ',', '{}', '\n', '  '],
  'an array of numbers': [1, -2.5, 0, NaN, Infinity, 1e21],
  'an array of booleans': [true, false],
  'an array of bigints': [1n, -9223372036854775808n],
  'an array with null and undefined': [null, 'a', undefined],
  'an array with a hole': [1, , 3],
  'an array of objects': [{ a: 1 }, { b: '"x"' }],
  'a nested array': [[1, 2], [3, null]],
  'a nested array of strings': [['a"', 'b\\'], ['', 'NULL']],
  'an array of empty arrays': [[], []],
  'an array in three dimensions': [[[1], [2]], [[3], [4]]],
}
for (const [name, value] of Object.entries(arrays)) {
  sent(name, value)
  sent(name, value, 'text[]')
}
sent('an array of Dates', () => [new Date(Date.UTC(2024, 0, 2)), null], 'timestamptz[]')
sent('an array of Buffers', () => [Buffer.from([0, 255]), Buffer.alloc(0)], 'bytea[]')
sent('an array of typed arrays', () => [new Uint8Array([1, 2]), new Uint16Array([258])], 'bytea[]')
sent('an array of toPostgres objects', () => [{ toPostgres: () => 'x"y' }, { toPostgres: () => 5 }], 'text[]')
sent('an array with a toPostgres that gives null', () => [{ toPostgres: () => null }], 'text[]')
sent('an array of numbers', [1, 2, 3], 'int[]')
sent('an array of arrays', [[1, 2], [3, 4]], 'int[]')
sent('a mismatched array', [[1, 2], [3]], 'int[]')
sent('an array of symbols', () => [Symbol('a')], 'text[]')
sent('an array', [1, 2], 'json')
sent('an array of objects', [{ a: 1 }], 'jsonb[]')
sent('an array in a JSON string', JSON.stringify([1, 2]), 'json')
sent('an object', { a: 1, b: [1] }, 'jsonb')
sent('a string', 'not json', 'jsonb')
sent('null', null, 'jsonb')
sent('a number', 5, 'jsonb')

const bytes = [0, 1, 127, 128, 255]
const binary = {
  'a Buffer': () => Buffer.from(bytes),
  'an empty Buffer': () => Buffer.alloc(0),
  'a slice of a Buffer': () => Buffer.from(bytes).subarray(1, 3),
  'a Uint8Array': () => new Uint8Array(bytes),
  'a Uint8Array view with an offset': () => new Uint8Array(new Uint8Array(bytes).buffer, 2, 2),
  'a Uint16Array': () => new Uint16Array([1, 258]),
  'a Float64Array': () => new Float64Array([1.5]),
  'a BigInt64Array': () => new BigInt64Array([-1n]),
  'a DataView': () => new DataView(new Uint8Array(bytes).buffer, 1),
  'a large Buffer': () => Buffer.alloc(300_000, 7),
}
for (const [name, value] of Object.entries(binary)) sent(name, value, 'bytea')
sent('a Buffer', () => Buffer.from('text'))
sent('a Buffer of invalid UTF-8', () => Buffer.from([0xff, 0xfe]))
sent('a Buffer of four bytes is a binary int', () => Buffer.from([0, 0, 1, 0]), 'int')
sent('a Buffer of three bytes', () => Buffer.from([0, 0, 1]), 'int')

for (const type of ['date', 'timestamp', 'timestamptz', 'time', 'timetz']) sent('a Date', () => new Date(Date.UTC(2024, 6, 2, 3, 4, 5, 678)), type)
for (const type of ['int', 'bigint', 'numeric', 'float8', 'bool', 'money']) {
  sent('a fraction', 1.5, type)
  sent('true', true, type)
  sent('an empty string', '', type)
}
sent('a bigint', 9223372036854775807n, 'bigint')
sent('a bigint that is too large', 9223372036854775808n, 'bigint')
sent('NaN', NaN, 'float8')
sent('-Infinity', -Infinity, 'numeric')
sent('a number above 2^31', 2147483648, 'int')
sent('a zero character', 'a\0b')

query('the server infers the type from the comparison', 'select typname from pg_type where oid = $1 and typname = $2', [23, 'int4'])
query('a parameter of no known type is text', 'select $1 as a', [5])
query('a parameter of no known type: pg_typeof', 'select pg_typeof($1) as a', [5])
query('could not determine data type of parameter', 'select $2::int as a', [1, 2])
query('inferred from an operator', 'select 1 + $1 as a', ['41'])
query('inferred from an operator: a fraction for an int', 'select 1 + $1 as a', [1.5])
query('LIMIT is bigint', 'select n from generate_series(1, 5) n limit $1 offset $2', [2, '1'])
query('= ANY of an array', 'select n from generate_series(1, 5) n where n = any ($1)', [[2, 4, 9]])
query('IN with several', 'select n from generate_series(1, 5) n where n in ($1, $2)', [1, 5])
query('unnest of two arrays', 'select * from unnest($1::int[], $2::text[]) t (a, b)', [[1, 2, null], ['x', null]])
query('one parameter twice', 'select $1::int as a, $1 + 1 as b', [1])
query('one parameter with two types', 'select $1::int as a, $1::text as b', [1])
query('too few parameters', 'select $1::int as a, $2::int as b', [1])
query('too many parameters', 'select $1::int as a', [1, 2])
query('parameters that the text does not have', 'select 1 as a', [1])
query('no parameters for a text that has one', 'select $1::int as a')
query('an empty array for a text that has one', 'select $1::int as a', [])
query('out of order', 'select $3::int as c, $1::int as a, $2::int as b', [1, 2, 3])
query('a hundred parameters', `select ${Array.from({ length: 100 }, (_, i) => `$${i + 1}::int as c${i}`).join(', ')}`, Array.from({ length: 100 }, (_, i) => i))
query('values is not an array: a string', () => ({ text: 'select $1::text as a', values: 'abc' }))
query('values is not an array: an object', () => ({ text: 'select $1::text as a', values: { length: 1, 0: 'x' } }))
query('values is not an array: a number', () => ({ text: 'select $1::text as a', values: 5 }))
query('values is null', () => ({ text: 'select 1 as a', values: null }))
query('values is a Set', () => ({ text: 'select $1::text as a', values: new Set(['x']) }))
query('values with a hole', () => ({ text: 'select $1::text as a, $2::text as b, $3::text as c', values: ['x', , 'z'] }))

compat('65,535 parameters', async ({ client }) => {
  const values = Array.from({ length: 65_535 }, (_, i) => i)
  return (await client()).query(`select cardinality(array[${values.map((i) => `$${i + 1}`).join(',')}]) as n, $65535::text as last`, values)
})

compat('65,536 parameters: the count wraps to 0', async ({ client, capture }) => {
  const connected = await client()
  connected.on('error', () => {})
  const values = Array.from({ length: 65_536 }, (_, i) => i)
  return capture(connected.query(`select array[${values.map((i) => `$${i + 1}`).join(',')}] as a`, values))
})

compat('a value that cannot be sent leaves the connection usable', async ({ client, capture }) => {
  const connected = await client()
  const failed = await capture(connected.query('select $1::text as a', [{ toPostgres() { throw new Error('refused') } }]))
  return [failed, await connected.query('select $1::int as after', [1]), connected.getTransactionStatus()]
})

compat('a value that cannot be sent, on a named statement', async ({ client, capture }) => {
  const connected = await client()
  const bad = { toPostgres() { throw new Error('refused') } }
  const failed = await capture(connected.query({ name: 'n', text: 'select $1::text as a', values: [bad] }))
  return [failed, await capture(connected.query({ name: 'n', text: 'select $1::text as a', values: ['x'] })), await capture(connected.query({ name: 'n', text: 'select $1::text as a', values: ['y'] }))]
})

compat('a value that cannot be sent, inside a transaction', { setup: 'create table t (a text)' }, async ({ client, capture }) => {
  const connected = await client()
  await connected.query('begin')
  await connected.query('insert into t values ($1)', ['kept'])
  const failed = await capture(connected.query('insert into t values ($1)', [Symbol('no')]))
  const next = await capture(connected.query('select a from t'))
  await connected.query('commit')
  return { failed, next, after: await connected.query('select a from t') }
})

compat('a value that cannot be sent, through a pool', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const failed = await capture(opened.query('select $1::text as a', [Symbol('no')]))
  return { failed, after: await opened.query('select 1 as a'), total: opened.totalCount }
})

compat('the caller’s array and objects stay as they were', async ({ client }) => {
  const values = [1, 'x', [1, [2]], { a: 1 }, new Date(0), Buffer.from('b'), undefined]
  const config = { text: 'select $1::int, $2::text, $3::int[]::text, $4::json, $5::timestamptz, $6::bytea, $7::text', values }
  await (await client()).query({ ...config, values: [1, 'x', [1, 2], { a: 1 }, new Date(0), Buffer.from('b'), undefined] })
  const before = JSON.stringify(config)
  await (await client()).query(config).catch(() => {})
  return { same: JSON.stringify(config) === before, keys: Object.keys(config), sameArray: config.values === values }
})

compat('values are read when the query is sent, not when it is queued', async ({ client }) => {
  const connected = await client()
  const values = ['first']
  const config = { text: 'select $1::text as a', values }
  const running = connected.query('select 1')
  const queued = connected.query(config)
  values[0] = 'changed'
  config.text = 'select 2 as b'
  await running
  return queued
})

compat('a Buffer changed after the call', async ({ client }) => {
  const connected = await client()
  const buffer = Buffer.from('first')
  const query = connected.query('select $1::bytea as a', [buffer])
  buffer.fill('x')
  return query
})

compat('toPostgres is called once per use, in order', async ({ client, note }) => {
  const connected = await client()
  const value = (name) => ({ toPostgres() { note(`toPostgres ${name}`); return name } })
  await connected.query('select $1::text, $2::text, $1::text', [value('a'), value('b')])
})

compat('parseInputDatesAsUTC', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    pg.defaults.parseInputDatesAsUTC = true
    const dates = [new Date(Date.UTC(2024, 6, 2, 3, 4, 5, 678)), new Date(Date.UTC(-43, 2, 15)), new Date(Date.UTC(20000, 0, 1))]
    observe(await client.query('select $1::text as a, $2::text as b, $3::text as c, $4::text[] as d', [...dates, dates]))
    pg.defaults.parseInputDatesAsUTC = false
    observe(await client.query('select $1::text as a, $2::text as b, $3::text as c, $4::text[] as d', [...dates, dates]))
    await client.end()
  }))

compat('an invalid Date warns once per process', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    for (let i = 0; i < 2; i++) observe(await client.query('select $1::text as a', [new Date(NaN)]).catch((error) => error))
    await client.end()
  }))

compat('prepareValue, by hand', async ({ pg, capture }) => {
  const values = [null, undefined, 1, -0, 'a', true, 1n, [], [1, [2, null]], { a: 1 }, new Date(0), Buffer.from('b'), new Uint8Array([1]), [Buffer.from('b')], [['a"b\\']]]
  const results = []
  for (const value of values) results.push(await capture(() => pg.utils.prepareValue(value)))
  return results
})
