// What a text means may depend on what else the session holds and on its settings: a cached statement never shows it.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import theirs from 'pg'
import ours from 'lakebase-native/pg'
import { postgres } from '../support/postgres.mjs'
import { range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const server = await postgres({ host: '127.0.0.1' })
after(() => server.stop())

/** What a client of pg's and one of ours give for the same calls; equal. */
async function both(t, calls) {
  const answers = []
  for (const { Client } of [theirs, ours]) {
    const client = new Client({ host: server.host, port: server.port, user: server.superuser, database: 'postgres' })
    await client.connect()
    t.after(() => client.end())
    const ask = (text, values) => client.query({ text, values, queryMode: 'extended' }).then(({ rows }) => rows, (error) => error.code)
    // From the third query on a connection caches.
    for (const number of range(3)) await client.query('select $1::int', [number])
    answers.push(await calls(ask, client))
  }
  assert.deepEqual(answers[1], answers[0])
  return answers[1]
}

test('FETCH gives the columns of the cursor that is open now', async (t) => {
  const answer = await both(t, async (ask) => {
    const seen = []
    for (const text of ['select 1 as a', "select 'text' as b"]) {
      await ask(`declare c cursor with hold for ${text}`)
      seen.push(await ask('fetch all from c'))
      await ask('close c')
    }
    return seen
  })
  assert.deepEqual(answer, [[{ a: 1 }], [{ b: 'text' }]])
})

test('EXECUTE gives the columns of the statement of that name now', async (t) => {
  const answer = await both(t, async (ask) => {
    const seen = []
    for (const text of ['select 1 as a', "select 'text' as b"]) {
      await ask(`prepare s as ${text}`)
      seen.push(await ask('execute s'))
      await ask('deallocate s')
    }
    return seen
  })
  assert.deepEqual(answer, [[{ a: 1 }], [{ b: 'text' }]])
})

const settings = [
  ['transform_null_equals', 'on', "select 'found' as a where null = null::int and $1"],
  ['timezone_abbreviations', 'India', "select timestamptz '2020-01-01 00:00 IST' at time zone 'UTC' as a where $1"],
  ['array_nulls', 'off', "select '{NULL}'::text[] as a where $1"],
  ['xmloption', 'document', "select 'text'::xml::text as a where $1"],
  ['extra_float_digits', '-10', 'select 0.1234567890123::float8::text as a where $1'],
  ['bytea_output', 'escape', "select '\\x4142'::bytea::text as a where $1"],
  ['default_text_search_config', 'pg_catalog.simple', "select to_tsvector('running dogs')::text as a where $1"],
  ['quote_all_identifiers', 'on', "select quote_ident('abc') as a where $1"],
]

for (const [name, value, text] of settings) {
  test(`${name}, set in a function, holds for a text that was run before`, async (t) => {
    await server.query(`create or replace function adjust() returns void language plpgsql as $$ begin perform set_config('${name}', '${value}', false); end $$`)
    await both(t, async (ask) => {
      const seen = []
      for (const _ of range(7)) seen.push(await ask(text, [true]))
      await ask('select adjust()')
      for (const _ of range(2)) seen.push(await ask(text, [true]))
      return seen
    })
  })

  test(`${name}, set in a trigger, holds for a text that was run before`, async (t) => {
    await server.query(`drop table if exists triggered; create table triggered (a int);
      create or replace function adjust_in_trigger() returns trigger language plpgsql as $$ begin perform set_config('${name}', '${value}', false); return new; end $$;
      create trigger adjusts before insert on triggered for each row execute function adjust_in_trigger()`)
    await both(t, async (ask) => {
      const seen = []
      for (const _ of range(7)) seen.push(await ask(text, [true]))
      await ask('insert into triggered values ($1)', [1])
      for (const _ of range(2)) seen.push(await ask(text, [true]))
      return seen
    })
  })
}

test('a role that a function sets may not use the schemas of the role before', async (t) => {
  // From one role to another that is no superuser either: of that the server reports nothing.
  await server.query(`create schema closed; create table closed.t as select 1 as a; create role insider; create role visitor;
    grant usage on schema closed to insider; grant select on closed.t to insider, visitor;
    create function become() returns void language plpgsql as $$ begin perform set_config('role', 'visitor', false); end $$`)
  const answer = await both(t, async (ask) => {
    const seen = []
    await ask('set role insider')
    for (const _ of range(3)) seen.push(await ask('select a from closed.t where $1', [true]))
    await ask('select become()')
    seen.push(await ask('select a from closed.t where $1', [true]))
    return seen
  })
  assert.deepEqual(answer, [[{ a: 1 }], [{ a: 1 }], [{ a: 1 }], '42501'])
})
