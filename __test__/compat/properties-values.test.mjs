// Random values of every type, sent as a parameter and read back: the same on both sides, and alone or in an array.
import fc from 'fast-check'

import { suite } from './harness.mjs'

const { property } = await suite(import.meta.url)

const text = fc.string({ unit: 'binary', maxLength: 40 }).map((value) => value.replaceAll('\0', ''))
const wellFormed = fc.string({ unit: fc.constantFrom(...'aB0 ,;{}()[]"\'\\\n\t$é名😀NUL'), maxLength: 30 })
const int = (bits) => fc.bigInt({ min: -(2n ** BigInt(bits - 1)), max: 2n ** BigInt(bits - 1) - 1n })
const date = fc.date({ min: new Date('-004700-01-01T00:00:00Z'), max: new Date('+200000-01-01T00:00:00Z'), noInvalidDate: true })
const pad = (n, width = 2) => String(n).padStart(width, '0')
const time = fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999_999)).map(([h, m, s, us]) => `${pad(h)}:${pad(m)}:${pad(s)}.${pad(us, 6)}`)
const day = fc.tuple(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 28 }), fc.boolean()).map(([y, m, d, bc]) => [`${pad(bc ? (y % 4700) + 1 : y, 4)}-${pad(m)}-${pad(d)}`, bc ? ' BC' : ''])
const zone = fc.tuple(fc.constantFrom('+', '-'), fc.nat(14), fc.nat(59)).map(([sign, h, m]) => `${sign}${pad(h)}:${pad(m)}`)
const numeric = fc.tuple(fc.bigInt(), fc.nat(20)).map(([digits, scale]) => {
  const sign = digits < 0n ? '-' : ''
  const all = String(digits < 0n ? -digits : digits).padStart(scale + 1, '0')
  return scale === 0 ? sign + all : `${sign}${all.slice(0, -scale)}.${all.slice(-scale)}`
})
const float = fc.double()
const octet = fc.nat(255)
const ipv4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join('.'))
const finite = fc.double({ noNaN: true, noDefaultInfinity: true })
const json = fc.json({ maxDepth: 3 }).map((value) => value.replaceAll('\\u0000', '').replace(/\\ud[89a-f][0-9a-f]{2}/gi, ''))
const between = (arbitrary, compare) => fc.tuple(arbitrary, arbitrary, fc.constantFrom('[', '('), fc.constantFrom(']', ')')).map(([a, b, open, close]) => (compare(a, b) <= 0 ? `${open}${a},${b}${close}` : `${open}${b},${a}${close}`))
const byNumber = (a, b) => Number(a) - Number(b)

/** For each type a way to make parameters that the server accepts. */
const values = {
  bool: fc.boolean(),
  int2: int(16).map(Number),
  int4: int(32).map(Number),
  int8: fc.oneof(int(64), int(64).map(String), fc.maxSafeInteger()),
  oid: fc.nat({ max: 4_294_967_295 }),
  float4: fc.float(),
  float8: float,
  numeric: fc.oneof(numeric, finite),
  money: fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((cents) => (cents / 100).toFixed(2)),
  text: fc.oneof(text, wellFormed),
  varchar: fc.oneof(text, wellFormed),
  bpchar: wellFormed,
  name: wellFormed.map((value) => value.slice(0, 10)),
  bytea: fc.uint8Array({ maxLength: 60 }),
  uuid: fc.uuid(),
  date: fc.oneof(date, day.map(([d, bc]) => d + bc), fc.constantFrom('infinity', '-infinity')),
  timestamp: fc.oneof(date, fc.tuple(day, time).map(([[d, bc], t]) => `${d} ${t}${bc}`), fc.constantFrom('infinity', '-infinity')),
  timestamptz: fc.oneof(date, fc.tuple(day, time, zone).map(([[d, bc], t, z]) => `${d} ${t}${z}${bc}`), fc.constantFrom('infinity', '-infinity')),
  time,
  timetz: fc.tuple(time, zone).map(([t, z]) => t + z),
  interval: fc.oneof(
    fc.tuple(int(16), int(16), int(16), time, fc.boolean()).map(([y, m, d, t, negative]) => `${y} years ${m} mons ${d} days ${negative ? '-' : ''}${t}`),
    fc.integer().map((us) => `${us} microseconds`),
  ),
  json,
  jsonb: json,
  point: fc.tuple(finite, finite).map(([x, y]) => `(${x},${y})`),
  circle: fc.tuple(finite, finite, fc.double({ min: 0, max: 1e100, noNaN: true })).map(([x, y, r]) => `<(${x},${y}),${r}>`),
  box: fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer()).map(([a, b, c, d]) => `(${a},${b}),(${c},${d})`),
  lseg: fc.tuple(fc.integer(), fc.integer(), fc.integer(), fc.integer()).map(([a, b, c, d]) => `[(${a},${b}),(${c},${d})]`),
  path: fc.array(fc.tuple(fc.integer(), fc.integer()), { minLength: 1, maxLength: 5 }).map((points) => `[${points.map(([x, y]) => `(${x},${y})`)}]`),
  polygon: fc.array(fc.tuple(fc.integer(), fc.integer()), { minLength: 1, maxLength: 5 }).map((points) => `(${points.map(([x, y]) => `(${x},${y})`)})`),
  inet: fc.oneof(ipv4, fc.tuple(ipv4, fc.nat(32)).map(([ip, bits]) => `${ip}/${bits}`), fc.ipV6().filter((ip) => !ip.includes('.'))),
  macaddr: fc.tuple(...Array(6).fill(octet)).map((parts) => parts.map((part) => part.toString(16).padStart(2, '0')).join(':')),
  bit: fc.constantFrom('0', '1'),
  varbit: fc.array(fc.constantFrom('0', '1'), { maxLength: 70 }).map((bits) => bits.join('')),
  int4range: between(int(31), byNumber),
  int8range: between(int(40), byNumber),
  numrange: between(fc.integer().map((n) => (n / 100).toFixed(2)), byNumber),
  daterange: between(day.map(([d]) => d), (a, b) => (a < b ? -1 : 1)),
  tstzrange: between(fc.tuple(day, time).map(([[d], t]) => `"${d} ${t}+00"`), (a, b) => (a < b ? -1 : 1)),
  int4multirange: fc.array(between(int(31), byNumber), { maxLength: 4 }).map((ranges) => `{${ranges.join(',')}}`),
  pg_lsn: fc.tuple(fc.nat(), fc.nat()).map(([a, b]) => `${a.toString(16)}/${b.toString(16)}`),
  xid8: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  tsvector: fc.array(fc.constantFrom('cat', 'fat', "it''s", 'a:1', 'b:2A,3B'), { maxLength: 5 }).map((words) => words.join(' ')),
  xml: fc.array(fc.constantFrom('<a>', '</a>'), { maxLength: 0 }).chain(() => fc.constantFrom('<a/>', '<a>x</a>', 'plain', '<a b="&lt;">é</a>')),
}
for (const [type, arbitrary] of Object.entries(values)) {
  property(`${type} there and back`, fc.option(arbitrary, { freq: 12 }), (client, value) =>
    client.query({ text: `select $1::${type} as value, $1::${type}::text as text`, values: [value], rowMode: 'array' }))
  // What the server made of it, as an array, with a null between, and in rows.
  property(`${type}[] and rows`, fc.array(fc.option(arbitrary, { freq: 5 }), { minLength: 1, maxLength: 6 }), async (client, list) => {
    const columns = list.map((_, i) => `$${i + 1}::${type}`)
    return client.query(`select array[${columns.join(', ')}] as list, array[[${columns.join(', ')}], [${columns.join(', ')}]] as nested, unnest(array[${columns.join(', ')}]) as one`, list)
  }, { numRuns: 15 })
}

// JavaScript values as pg turns them into parameters.
const anything = fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withNullPrototype: true, withMap: true, withSet: true, withUnicodeString: true, maxDepth: 3, maxKeys: 5 })
property('any JavaScript value as text', anything, (client, value) => client.query('select $1::text as value', [value]), { numRuns: 300, leastAnswered: 0.6 })
property('any JavaScript values as json', fc.object({ maxDepth: 3 }), (client, value) => client.query('select $1::json as value', [value]), { numRuns: 60 })
property('arrays of text', fc.array(fc.option(fc.oneof(text, wellFormed)), { maxLength: 8 }), (client, list) => client.query('select $1::text[] as list, $1::text as text', [list]), { numRuns: 100 })
property('arrays of arrays', fc.array(fc.tuple(fc.option(wellFormed), fc.option(wellFormed)), { maxLength: 5 }), (client, list) => client.query('select $1::text[] as list', [list]), { numRuns: 60 })
property('arrays of numbers', fc.array(fc.option(float), { maxLength: 8 }), (client, list) => client.query('select $1::float8[] as list, $1::numeric[] as numbers', [list]), { numRuns: 60 })
property('arrays of Dates', fc.array(fc.option(date), { maxLength: 5 }), (client, list) => client.query('select $1::timestamptz[] as list, $1::timestamp[] as local, $1::date[] as days', [list]), { numRuns: 60 })
property('arrays of bytes', fc.array(fc.uint8Array({ maxLength: 10 }), { maxLength: 5 }), (client, list) => client.query('select $1::bytea[] as list', [list]), { numRuns: 40 })
property('several parameters at once', fc.tuple(fc.option(int(32).map(Number)), fc.option(text), fc.option(date), fc.option(fc.boolean()), fc.option(fc.uint8Array()), fc.option(float)), (client, list) =>
  client.query('select $1::int4, $2::text, $3::timestamptz, $4::bool, $5::bytea, $6::float8', list), { numRuns: 100 })
property('escaped literals', fc.oneof(text, wellFormed), (client, value, driver) => client.query(`select ${driver.escapeLiteral(value)} as value`), { numRuns: 100 })
property('escaped identifiers', wellFormed.filter((value) => value !== ''), (client, value, driver) => client.query(`select 1 as ${driver.escapeIdentifier(value)}`), { numRuns: 100 })
