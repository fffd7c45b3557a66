// The JavaScript value of every type, in text and binary format, alone and in arrays.
import assert from 'node:assert/strict'
import { test } from 'node:test'

import { hasExtension, suite } from './harness.mjs'
import { arrayLiterals, literal, samples } from './type-samples.mjs'

const { compat, query, oracle } = await suite(import.meta.url)

const { rows: types } = await oracle.admin.query(`
  select t.typname as name, format_type(t.oid, null) as type, t.typarray <> 0 as "hasArray", t.typsend <> 0 as binary
  from pg_type t where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm') and typcategory <> 'A' order by t.oid`)

test('type-parsing › every type of this server has samples', () => {
  assert.deepEqual(types.map(({ name }) => name).filter((name) => !(name in samples)), [])
})

const written = types.filter(({ name }) => samples[name])
for (const { name, hasArray, binary } of written) {
  const type = `pg_catalog."${name}"`
  const columns = samples[name].map((text, i) => `${literal(text)}::${type} as v${i}`)
  // An unset column beside the values: null has no type parser to go through.
  const text = `select ${[...columns, `null::${type} as nothing`].join(', ')}`
  query(`${name}`, text)
  query(`${name} with rowMode array`, () => ({ text, rowMode: 'array' }))
  if (binary) query(`${name} in binary`, () => ({ text, binary: true }))
  if (!hasArray) continue
  const arrays = `select ${arrayLiterals(name).map((array, i) => `${literal(array)}::${type}[] as a${i}`).join(', ')}`
  query(`${name}[]`, arrays)
}

// Binary arrays: pg parses only some of them, and those only when they have no further dimensions or other elements.
for (const name of ['int4', 'int8', 'int2', 'text', 'varchar', 'bool', 'float8', 'uuid', 'jsonb', 'bytea', 'timestamptz']) {
  query(`${name}[] in binary`, () => ({ text: `select ${literal(arrayLiterals(name)[0])}::${name}[] as a, '{}'::${name}[] as b`, binary: true }))
}
query('int4[] in binary with nulls and two dimensions', () => ({ text: `select '{1,NULL,-3}'::int4[] as a, '{{1,2},{3,4}}'::int4[] as b`, binary: true }))
query('text[] in binary with nulls and two dimensions', () => ({ text: `select '{a,NULL,""}'::text[] as a, '{{a,b},{c,d}}'::text[] as b`, binary: true }))

const user = `
  create type mood as enum ('sad', 'ok', 'happy', 'with "quotes" , and ''more''');
  create type pair as (a int, b text);
  create type nested as (p pair, at timestamptz, list int[]);
  create domain positive as int check (value > 0);
  create domain label as varchar(10) not null;
  create domain moods as mood[];
  create domain when_ as timestamptz;
  create domain doc as jsonb;
  create type floatrange as range (subtype = float8);
  create table holder (id int, m mood, p pair, d positive, l label);`

const ofUserTypes = {
  'an enum': `select 'ok'::mood as a, 'with "quotes" , and ''more'''::mood as b, null::mood as c`,
  'an enum array': `select '{ok,sad,NULL}'::mood[] as a`,
  'a composite': `select row(1, 'x')::pair as a, row(null, null)::pair as b, row(1, 'a "b", (c) \\ d')::pair as c, row(2, '')::pair as d`,
  'a composite array': `select array[row(1, 'x'), row(2, null)]::pair[] as a`,
  'a composite in a composite': `select row(row(1, 'x'), '2024-01-02 03:04:05+00', '{1,2}')::nested as a`,
  'a table row': `select h from (values (1, 'ok'::mood)) h (id, m)`,
  'a domain over int is parsed as int': `select 5::positive as a, null::positive as b`,
  'a domain over varchar': `select 'x'::label as a`,
  'a domain array stays text': `select '{1,2}'::positive[] as a`,
  'a domain over an enum array': `select '{ok}'::moods as a`,
  'a domain over timestamptz': `select '2024-01-02 03:04:05+00'::when_ as a`,
  'a domain over jsonb': `select '{"a":1}'::doc as a`,
  'a user range and its multirange': `select '[1.5,2)'::floatrange as a, '{[1,2),[3,4)}'::floatmultirange as b, '{"[1,2)"}'::floatrange[] as c`,
  'an enum range of a table': `select m, p, d, l from holder`,
}
for (const [name, text] of Object.entries(ofUserTypes)) {
  compat(name, { setup: user }, async ({ client }) => {
    const connected = await client()
    return [await connected.query(text), await connected.query({ text, rowMode: 'array', queryMode: 'extended' })]
  })
  compat(`${name}, in binary`, { setup: user }, async ({ client, capture }) => capture((await client()).query({ text, binary: true })))
}

query('pseudo-types: void, record, unknown, anyarray, cstring', `select pg_sleep(0) as a, row(1, 'x', null) as b, 'unknown' as c, (select most_common_vals from pg_stats limit 0) as d, cstring 'x'::text as e`)
query('an array of records', `select array[row(1, 2), row(3, 4)] as a`)
query('json from the server', `select to_json(array[1, null]) a, jsonb_build_object('k', 1.10) b, row_to_json(row(1, 'x')) c, json_agg(n) d from generate_series(1, 3) n`)
query('json arrays', `select array['{"a":1}'::json, null, '"x"'::json] as a, array['{"a":[1,2]}'::jsonb] as b, '{}'::jsonb[] as c`)
query('large text, bytea and json', `select repeat('ab', 300000) as a, repeat('00ff', 100000)::bytea as b, json_build_object('x', repeat('y', 300000)) as c`)
query('many small values of many types', `select n, n::int8 as i8, n::numeric as num, n::text as t, n % 2 = 0 as b, n::float8 / 3 as f, '2024-01-01'::date + n as d, timestamptz '2024-01-01 00:00:00+00' + n * interval '1 hour' as ts, jsonb_build_object('n', n) as j, array[n, null] as a from generate_series(1, 500) n`)
query('an invalid date for JavaScript: year 275761', `select '275761-01-01 00:00:00+00'::timestamptz as a, '-infinity'::timestamptz as b, array['infinity'::date, '2024-01-01'] as c`)
query('json that JSON.parse refuses cannot exist, NaN in json is refused by the server', `select 'NaN'::json`)
query('an array of text that looks like null', `select array['NULL', 'null', null, '', ' ', '"', '\\', '{}', ','] as a`)
query('an array of intervals', `select array[interval '1 day 02:03:04', null, interval '-1 mon'] as a`)
query('interval: methods of the value', `select interval '1 year 2 mons -3 days 04:05:06.7' as a`)

const sessions = {
  'DateStyle ISO, DMY': ["set datestyle = 'ISO, DMY'"],
  'DateStyle SQL, MDY': ["set datestyle = 'SQL, MDY'"],
  'DateStyle SQL, DMY': ["set datestyle = 'SQL, DMY'"],
  'DateStyle German': ["set datestyle = 'German'"],
  'DateStyle Postgres': ["set datestyle = 'Postgres, MDY'"],
  'IntervalStyle sql_standard': ["set intervalstyle = 'sql_standard'"],
  'IntervalStyle iso_8601': ["set intervalstyle = 'iso_8601'"],
  'IntervalStyle postgres_verbose': ["set intervalstyle = 'postgres_verbose'"],
  'TimeZone Asia/Kolkata': ["set timezone = 'Asia/Kolkata'"],
  'TimeZone America/New_York': ["set timezone = 'America/New_York'"],
  'TimeZone with minutes': ["set time zone interval '+01:02' hour to minute"],
  'TimeZone by SET LOCAL in a transaction': ['begin', "set local timezone = 'Australia/Adelaide'"],
  'bytea_output escape': ["set bytea_output = 'escape'"],
  'extra_float_digits 0': ['set extra_float_digits = 0'],
  'extra_float_digits -15': ['set extra_float_digits = -15'],
  'lc_monetary C': ["set lc_monetary = 'C'"],
  'xmlbinary and xmloption': ["set xmloption = 'document'"],
  'client_encoding is what the session says': ["set client_encoding = 'UTF8'"],
}
const affected = `select date '2024-02-03' as d, date '0044-03-15 BC' as bc, timestamp '2024-02-03 04:05:06.789' as ts, timestamptz '2024-02-03 04:05:06.789+00' as tz,
  timestamptz '1800-06-01 00:00:00+00' as old, array[timestamptz '2024-07-03 04:05:06+00'] as tzs, timetz '04:05:06+02' as ttz, interval '1 year 2 mons -3 days 04:05:06.789' as i, interval '0' as i0,
  array[interval '1 day'] as ia, '\\x00ff5c41'::bytea as b, array['\\x00ff'::bytea] as ba, 0.1::float8 + 0.2::float8 as f8, 1.1::float4 as f4, 1234.5::numeric::money as m, tstzrange('2024-01-01+00', 'infinity') as r`
for (const [name, statements] of Object.entries(sessions)) {
  compat(`after ${name}`, async ({ client, capture }) => {
    const connected = await client()
    const before = await connected.query(affected)
    for (const statement of statements) await connected.query(statement)
    const simple = await capture(connected.query(affected))
    const extended = await capture(connected.query({ text: affected, queryMode: 'extended' }))
    return { before, simple, extended }
  })
}

compat('settings given with the connection', async ({ client }) => {
  const connected = await client({ options: '-c datestyle=German -c intervalstyle=iso_8601 -c timezone=Asia/Tokyo -c bytea_output=escape' })
  return connected.query(affected)
})

for (const zone of ['UTC', 'Asia/Kolkata', 'Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Apia', 'Europe/London']) {
  compat(`dates in the process zone ${zone}`, async ({ child }) =>
    child(
      async ({ pg, config, observe }) => {
        const client = new pg.Client(config)
        await client.connect()
        const values = ['2024-02-29', '2024-03-31', '0001-01-01', '1800-06-01', '0044-03-15 BC', '2011-12-30']
        const { rows } = await client.query(
          `select d::date as date, d::timestamp as "timestamp", d::timestamptz as "timestamptz", array[d::date] as dates from unnest($1::text[]) d`,
          [values],
        )
        observe(rows)
        const sent = rows.map((row) => row.timestamp)
        observe(await client.query('select t::text, t from unnest($1::timestamptz[]) t', [sent]).catch((error) => error))
        observe(await client.query('select $1::timestamp as a, $2::date as b, $3::text as c', [sent[0], sent[1], sent[0]]))
        await client.end()
      },
      { env: { TZ: zone } },
    ))
}

const extensions = {
  citext: ["'Abc'::citext as a, array['A', 'b']::citext[] as b"],
  hstore: [`'a=>1, b=>NULL, "c d"=>"e\\"f"'::hstore as a, array['x=>y'::hstore] as b`],
  ltree: [`'a.b.c'::ltree as a, 'a.*'::lquery as b, 'a & b'::ltxtquery as c, array['a.b'::ltree] as d`],
  cube: [`'(1,2),(3,4)'::cube as a`],
  seg: [`'1.5 .. 2.5'::seg as a`],
  isn: [`'978-0-393-04002-9'::isbn13 as a`],
  lo: ['1234::lo as a'],
  vector: [`'[1,2.5,-3]'::vector as a, array['[1,2]'::vector] as b`],
}
for (const [extension, columns] of Object.entries(extensions)) {
  if (!(await hasExtension(oracle, extension))) continue
  compat(`extension ${extension}`, { setup: `create extension ${extension}` }, async ({ client, capture }) => {
    const connected = await client()
    const text = `select ${columns}`
    return [await connected.query(text), await capture(connected.query({ text, binary: true }))]
  })
}
