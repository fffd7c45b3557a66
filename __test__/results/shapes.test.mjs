// Results look as node-postgres' do.
import assert from 'node:assert/strict'
import pg from 'pg'
import { types } from 'lakebase-native'
import { comparison } from '../support/comparison.mjs'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create table shapes (id int, name text not null)' })
const same = comparison(app, "truncate shapes; insert into shapes (id, name) values (1, 'a'), (2, 'b')")

const samples = `select
  1::int2 as int2, 2::int4 as int4, 9007199254740993::int8 as int8, 1.50::numeric as numeric, 1.5::float4 as float4, 0.1::float8 as float8,
  true as bool, 'text' as text, 'v'::varchar(5) as varchar, 'c'::char(3) as char, 'n'::name as name, '\\xdeadbeef'::bytea as bytea,
  '2024-02-29'::date as date, '12:34:56.789'::time as time, '2024-02-29 12:34:56.789'::timestamp as timestamp,
  '2024-02-29 12:34:56.789+02'::timestamptz as timestamptz, '1 year 2 days 03:04:05'::interval as interval,
  '{"a": [1, null]}'::json as json, '{"a": {"b": true}}'::jsonb as jsonb, '6f1b0dbe-0000-4000-8000-000000000000'::uuid as uuid,
  '{1,2,null}'::int[] as ints, '{a,"b c",null}'::text[] as texts, '{{1,2},{3,4}}'::int[][] as nested, '{true,false}'::bool[] as bools,
  '{1.5,2}'::numeric[] as numerics, array['2024-01-01'::timestamptz] as timestamps, array['{"a":1}'::jsonb] as jsons,
  '(1,2)'::point as point, '10.0.0.1/8'::inet as inet, '[1,5)'::int4range as range, 42::oid as oid, '$1.50'::money as money,
  row(1, 'a') as record, null::text as nothing, ''::text as empty, '101'::bit(3) as bits`

test('every main type, from a simple and from an extended query', async (t) => {
  const { rows } = await same(t, samples)
  assert.ok(rows[0].timestamptz instanceof Date && Buffer.isBuffer(rows[0].bytea))
  assert.equal(rows[0].int8, '9007199254740993')
  await same(t, `${samples} where $1::int = 1`, [1])
})

test('every main type as null', async (t) => {
  await same(t, samples.replaceAll(/ (?<value>[^,]+?)(?<cast>::[a-z0-9]+(\([0-9]+\))?(\[\])*) as /g, ' null$<cast> as '))
})

test("rowMode 'array'", async (t) => {
  const { rows } = await same(t, { text: samples, rowMode: 'array' })
  assert.ok(Array.isArray(rows[0]))
})

test('commands and counts', async (t) => {
  for (const text of [
    "insert into shapes values (3, 'a'), (4, 'b')",
    'insert into shapes values (5, $$c$$) returning name',
    "update shapes set name = 'd'",
    'delete from shapes',
    'select * from shapes',
    'create temporary table other (id int)',
    'create temporary table as_select as select 1 as one',
    'create temporary table gone (id int); drop table gone',
    'begin',
    'rollback',
    'set work_mem to default',
    'show server_version',
    'explain select 1',
    'values (1), (2)',
    'do $$ begin end $$',
    '',
    '-- only a comment',
    ';',
  ]) {
    await same(t, text)
  }
})

test('several statements give several results', async (t) => {
  const results = await same(t, 'select 1 as a; select 2 as b, 3 as c; create temporary table three (id int); select 4 as d where false')
  assert.equal(results.length, 4)
})

test('columns of one name: the last one wins; in arrays all are there', async (t) => {
  const { rows } = await same(t, 'select 1 as x, 2 as y, 3 as x')
  assert.deepEqual(rows, [{ x: 3, y: 2 }])
  await same(t, { text: 'select 1 as x, 2 as y, 3 as x', rowMode: 'array' })
})

test('column names are data', async (t) => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', "quote'", 'back`tick', 'double""quote', '${code}', 'new\nline', '\\', 'ünï', '🚀', '0', '-1', 'a b']
  const { rows } = await app.pool().query(`select ${names.filter(Boolean).map((name, index) => `${index} as "${name}"`).join(', ')}`)
  const expected = names.filter(Boolean).map((name) => name.replaceAll('""', '"'))
  assert.deepEqual(Object.keys(rows[0]).sort(), [...expected].sort())
  expected.forEach((name, index) => assert.equal(Object.getOwnPropertyDescriptor(rows[0], name).value, index))
  assert.equal(Object.getPrototypeOf(rows[0]), Object.prototype)
  await same(t, 'select 1 as "constructor", 2 as "back`tick"')
})

test('own parsers: of one query, of the process', async (t) => {
  const shout = { getTypeParser: (oid, format) => (oid === 25 ? (text) => `${text}!` : pg.types.getTypeParser(oid, format)) }
  const { rows } = await same(t, { text: "select 'a'::text as a, 1 as b", types: shout })
  assert.deepEqual(rows, [{ a: 'a!', b: 1 }])
  const before = types.getTypeParser(20)
  types.setTypeParser(20, BigInt)
  t.after(() => types.setTypeParser(20, before))
  assert.equal((await app.pool().query('select 5::int8 as five')).rows[0].five, 5n)
})

test('a parser that throws is that query\'s error, and the next query is right', async () => {
  const pool = app.pool({ max: 1 })
  const types = {
    getTypeParser: () => () => {
      throw new Error('cannot parse')
    },
  }
  await assert.rejects(pool.query({ text: 'select number::text from generate_series(1, 5) as number', types }), /cannot parse/)
  assert.deepEqual((await pool.query('select 1 as one')).rows, [{ one: 1 }])
})
