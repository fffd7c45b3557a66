// The ends of every range, and what is beyond.
import assert from 'node:assert/strict'
import { comparison } from '../support/comparison.mjs'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const same = comparison(app)

const columns = {
  int2: ['-32768', '32767', '0'],
  int4: ['-2147483648', '2147483647', '-2147483647', '-1', '0'],
  int8: ['-9223372036854775808', '9223372036854775807', '9007199254740993'],
  oid: ['0', '4294967295'],
  float4: ['-3.4028235e38', '1e-45', '0.1', '-0', 'NaN', 'Infinity', '-Infinity', '16777217'],
  float8: ['-1.7976931348623157e308', '5e-324', '0.1', '1e21', '123456789012345680', '-0', 'NaN', 'Infinity', '-Infinity'],
  numeric: ['1e100', '-0.000000000000000000000000000001', 'NaN', 'Infinity', '123456789012345678901234567890.123456789'],
  date: ['4713-01-01 BC', '0001-01-01', '1582-10-10', '9999-12-31', '5874897-12-31', 'infinity', '-infinity', '0044-03-15 BC'],
  timestamp: ['4713-01-01 00:00:00 BC', '0001-01-01', '0099-12-31', '294276-12-31 23:59:59.999999', 'infinity', '-infinity', '2024-03-31 02:30:00'],
  timestamptz: [
    '4713-01-01 00:00:00+00 BC',
    '0001-12-31 00:00:00+00 BC',
    '0099-12-31 12:00:00+00',
    '1883-11-18 12:00:00+00',
    '1969-12-31 23:59:59.999999+00',
    '1970-01-01 00:00:00.000001+00',
    '2024-02-29 12:34:56.123456+00',
    '275760-09-13 00:00:00+00',
    '294276-12-31 23:59:59.999999+00',
    'infinity',
    '-infinity',
  ],
  interval: ['-178000000 years', '178000000 years', '-1 day 00:00:00.000001', '0'],
  time: ['00:00:00', '24:00:00', '23:59:59.999999'],
  json: ['null', '"\\u00e9"', '1e400', '[]', '{"__proto__": {"polluted": true}}'],
}

for (const [type, values] of Object.entries(columns)) {
  test(type, async (t) => {
    const list = values.map((value, index) => `'${value}'::${type} as v${index}`).join(', ')
    const { rows } = await same(t, `select ${list}`)
    await same(t, `select ${list} where $1`, [true])
    // Deep equality says nothing of the sign of zero.
    if (type.startsWith('float')) assert.ok(Object.is(rows[0][`v${values.indexOf('-0')}`], -0))
    await same(t, `select array[${values.map((value) => `'${value}'::${type}`).join(', ')}] as list`)
  })
}

test('time zones and date styles of the session are the session\'s', async (t) => {
  for (const zone of ['UTC', 'Asia/Kolkata', 'America/St_Johns', 'Australia/Lord_Howe']) {
    const text = `begin; set local time zone '${zone}'; select '2024-02-29 12:34:56.789+00'::timestamptz as at, '1850-01-01 00:00:00+00'::timestamptz as early; commit`
    const results = await same(t, text)
    assert.equal(results[2].rows[0].at.toISOString(), '2024-02-29T12:34:56.789Z')
  }
  await same(t, "begin; set local datestyle to 'SQL, DMY'; select '2024-02-29 12:34:56+00'::timestamptz as at; commit")
  await same(t, "begin; set local intervalstyle to 'iso_8601'; select '1 day 2 hours'::interval as span; commit")
  await same(t, "begin; set local bytea_output to 'escape'; select '\\xdeadbeef00'::bytea as bytes; commit")
  await same(t, 'begin; set local extra_float_digits to 0; select 0.1::float4 + 0.2 as sum; commit')
})

test('parameters arrive as they were given', async (t) => {
  const values = [
    -2147483648,
    Number.MAX_SAFE_INTEGER,
    0.1,
    -0,
    NaN,
    Infinity,
    9007199254740993n,
    true,
    '',
    'ünï 🚀 \u{10ffff}',
    null,
    undefined,
    new Date(0),
    new Date(Date.UTC(-43, 2, 15)),
    Buffer.from([0, 255, 10]),
    new Uint8Array([1, 2, 3]),
    [1, [2, null]].flat(),
    ['a"b', 'c\\d', null, ''],
    { nested: { list: [1, 'two'] } },
  ]
  for (const value of values) await same(t, 'select $1::text as value', [value])
  await same(t, 'select $1::jsonb as value', [{ a: [1, { b: null }] }])
  await same(t, 'select $1::int[] as value', [[1, 2, null]])
  await same(t, 'select $1::bytea as value', [Buffer.alloc(100_000, 7)])
})
