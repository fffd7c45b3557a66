// A driver may keep statements prepared behind the caller's back. Nothing a caller does may show it.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

/**
 * Runs `query` before, between and after `changes`, in every form a cached statement could take: with and without
 * values, through a client, through a pool, and inside a transaction.
 */
function unseen(name, { setup, query, values, changes, again = 3 }) {
  const run = async (target, capture, statements) => {
    const results = []
    for (let i = 0; i < again; i++) results.push(await capture(target.query(query, values)))
    for (const change of statements) {
      results.push((await capture(target.query(change))).resolved?.command)
      for (let i = 0; i < 2; i++) results.push(await capture(target.query(query, values)))
    }
    return results
  }
  compat(`${name}: client`, { setup }, async ({ client, capture }) => run(await client(), capture, changes))
  compat(`${name}: pool`, { setup }, async ({ pool, capture }) => run(pool({ max: 1 }), capture, changes))
  compat(`${name}: in a transaction`, { setup }, async ({ client, capture }) => {
    const connected = await client()
    await connected.query(query, values).catch(() => {})
    await connected.query('begin')
    const results = await run(connected, capture, changes.filter((change) => !/discard all|vacuum/i.test(change)))
    await connected.query('rollback')
    return [results, await capture(connected.query(query, values))]
  })
  const elsewhere = changes.filter((change) => !/discard|deallocate|temp|search_path|set /i.test(change))
  if (elsewhere.length === 0) return
  compat(`${name}: prepared before the transaction, changed by another connection`, { setup }, async ({ client, capture, admin }) => {
    const connected = await client()
    const results = []
    for (let i = 0; i < again; i++) results.push(await capture(connected.query(query, values)))
    await admin(elsewhere.join(';'))
    await connected.query('begin')
    for (let i = 0; i < 2; i++) results.push(await capture(connected.query(query, values)))
    await connected.query('rollback')
    results.push(await capture(connected.query(query, values)))
    return results
  })
}

const table = `create table t (a int, b text); insert into t values (1, 'one'), (2, 'two')`
const all = { setup: table, query: 'select * from t where $1::bool order by 1', values: [true] }

unseen('a column added', { ...all, changes: ['alter table t add column c int default 5'] })
unseen('a column dropped', { ...all, changes: ['alter table t drop column b'] })
unseen('a column renamed', { ...all, changes: ['alter table t rename column b to renamed'] })
unseen('a column’s type changed', { ...all, changes: ['alter table t alter column a type text using a::text', 'alter table t alter column a type bigint using a::bigint', 'alter table t alter column a type numeric(10,2)'] })
unseen('the type of a compared column changed', { setup: table, query: 'select b from t where a = $1', values: ['1'], changes: ['alter table t alter column a type text using a::text', `alter table t alter column a type numeric using a::numeric`] })
unseen('the table dropped', { ...all, changes: ['drop table t'] })
unseen('the table dropped and made anew', { ...all, changes: ['drop table t', 'create table t (x date, y int[])', `insert into t values ('2024-01-02', '{1,2}')`] })
unseen('the table renamed and another in its place', { ...all, changes: ['alter table t rename to old', 'create table t as select 9 as z'] })
unseen('the table truncated', { ...all, changes: ['truncate t'] })
unseen('rows changed', { ...all, changes: [`insert into t values (3, 'three')`, 'delete from t where a = 1', `update t set b = upper(b)`] })
unseen('an index made and dropped', { setup: table, query: 'select b from t where a = $1', values: [1], changes: ['create index i on t (a)', 'drop index i'] })
unseen('a view replaced', { setup: `${table}; create view v as select a from t`, query: 'select * from v where a = $1', values: [1], changes: ['create or replace view v as select a, b from t'] })
unseen('a function replaced', { setup: `create function f(int) returns int language sql as 'select $1 + 1'`, query: 'select f($1)', values: [1], changes: [`create or replace function f(int) returns int language sql as 'select $1 + 2'`] })
unseen('a function with another return type', { setup: `create function f(int) returns int language sql as 'select $1 + 1'`, query: 'select f($1) as r', values: [1], changes: ['drop function f(int)', `create function f(int) returns text language sql as 'select $1::text'`] })
unseen('an overload that fits better', { setup: `create function f(bigint) returns text language sql as $$ select 'bigint' $$`, query: 'select f($1::int) as r', values: [1], changes: [`create function f(int) returns text language sql as $$ select 'int' $$`] })
unseen('search_path changed', { setup: `${table}; create schema other; create table other.t as select 7.5 as price`, query: 'select * from t where $1::bool', values: [true], changes: ['set search_path = other', 'set search_path = public', 'set search_path = other, public'] })
unseen('a temp table shadows', { ...all, changes: [`create temp table t as select 'shadow' as s`, 'drop table pg_temp.t'] })
unseen('DEALLOCATE ALL', { ...all, changes: ['deallocate all'] })
unseen('DISCARD ALL', { ...all, changes: ['discard all'] })
unseen('DISCARD PLANS and DISCARD TEMP', { ...all, changes: ['discard plans', 'discard temp'] })
unseen('an enum with a new label', { setup: `create type mood as enum ('ok')`, query: 'select $1::mood as m', values: ['sad'], changes: [`alter type mood add value 'sad'`] })
unseen('a composite type changed', { setup: 'create type pair as (a int)', query: 'select row($1)::pair as p', values: [1], changes: ['alter type pair add attribute b int'] })
unseen('a domain’s check changed', { setup: 'create domain small as int check (value < 10)', query: 'select $1::small as s', values: [11], changes: ['alter domain small drop constraint small_check'] })
unseen('settings that change the text of values', { setup: '', query: `select timestamptz '2024-01-02 03:04:05+00' as t, interval '1 day 2 hours' as i, '\\x00ff'::bytea as b, $1::int as n`, values: [1], changes: [`set timezone = 'Asia/Tokyo'`, `set intervalstyle = 'iso_8601'`, `set bytea_output = 'escape'`, `set datestyle = 'German'`] })
unseen('standard_conforming_strings', { setup: '', query: `select 'a\\\\b' as s, $1::int as n`, values: [1], changes: [`set standard_conforming_strings = off`, 'set standard_conforming_strings = on'] })
unseen('a role without rights', { setup: table, query: 'select count(*)::int from t where $1::bool', values: [true], changes: ['set role login_tls', 'reset role'] })
unseen('row-level security', { setup: `${table}; alter table t enable row level security; create policy one on t using (a = 1); grant select on t to public`, query: 'select a from t where $1::bool order by a', values: [true], changes: ['set role login_tls', 'reset role', 'drop policy one on t', 'set role login_tls', 'reset role'] })
unseen('a query without values', { setup: table, query: 'select * from t order by 1', values: undefined, changes: ['alter table t add column c int', 'deallocate all', 'drop table t'] })
unseen('INSERT … RETURNING *', { setup: table, query: 'insert into t (a) values ($1) returning *', values: [5], changes: ['alter table t add column c int default 1', 'alter table t drop column b'] })
unseen('the time zone of a literal', { setup: '', query: `select timestamptz '2024-01-02 03:04:05' as t, $1::int as n`, values: [1], changes: [`set timezone = 'Asia/Tokyo'`, 'reset timezone', `set time zone 'UTC'`] })
unseen('the date style of a literal', { setup: '', query: `select date '01/02/2024' as d, interval '1 2:03' as i, $1::int as n`, values: [1], changes: [`set datestyle = 'SQL, DMY'`, `set datestyle = 'SQL, MDY'`] })
unseen('how = null is read', { setup: '', query: `select (select a = null from (values (null::int)) t (a)) as v, $1::int as n`, values: [1], changes: ['set transform_null_equals = on', 'set transform_null_equals = off'] })
unseen('how an array literal is read', { setup: '', query: `select array_length('{NULL,1}'::text[], 1) as n, ('{NULL}'::text[])[1] is null as v, $1::int as n2`, values: [1], changes: ['set array_nulls = off', 'reset array_nulls'] })
unseen('settings changed by set_config', { setup: `${table}; create schema other; create table other.t as select 7.5 as price`, query: 'select * from t where $1::bool', values: [true], changes: [`select set_config('search_path', 'other', false)`, `select set_config('search_path', 'public', false)`] })
unseen('a search_path changed inside of a function', { setup: `${table}; create schema other; create table other.t as select 7.5 as price; create function public.go(text) returns void language sql as $$ select pg_catalog.set_config('search_path', $1, false) $$`, query: 'select * from t where $1::bool', values: [true], changes: [`select public.go('other')`, `select public.go('public')`] })
unseen('a table made by SELECT INTO shadows', { ...all, changes: [`select 'shadow' as s into temp t`, 'drop table pg_temp.t'] })
unseen('a table made by CREATE TABLE AS among others shadows', { ...all, changes: [`select 1; create temp table t as select 'shadow' as s`, 'drop table pg_temp.t'] })
unseen('a table changed inside of a function', { setup: `${table}; create function widen() returns void language sql as 'alter table t add column c int default 5'`, query: 'select * from t where $1::bool order by 1', values: [true], changes: ['select widen()'] })
unseen('a procedure that changes what a parameter is', { setup: `${table}; create procedure retype() language sql as 'alter table t alter column a type numeric using a::numeric'`, query: 'select b from t where a = $1', values: ['1.5'], changes: ['call retype()'] })

compat('literals of the moment', async ({ client }) => {
  const connected = await client()
  const results = []
  // A literal is read when its statement is parsed, which is in the transaction that runs it.
  for (let i = 0; i < 4; i++) {
    results.push((await connected.query(`select 'now'::timestamptz = now() as same, timestamptz 'NOW' = now() as same2, $1::int as n`, [i])).rows)
    results.push((await connected.query({ text: `select 'today'::date = current_date as same, 'tomorrow'::date > now() as later`, queryMode: 'extended' })).rows)
  }
  return results
})
compat('what the server says about a text it parses', async ({ client, watch }) => {
  const connected = watch(await client(), 'client', ['notice'])
  await connected.query('set standard_conforming_strings = off')
  for (let i = 0; i < 4; i++) {
    await connected.query(`select $1::int as ${'n'.repeat(70)}`, [1])
    await connected.query(`select 'a\\\\b' as s, $1::int as n`, [1])
  }
})
compat('SET LOCAL and what a rollback takes back', { setup: `${table}; create schema other; create table other.t as select 7.5 as price` }, async ({ client, capture }) => {
  const connected = await client()
  const results = []
  const query = async () => results.push(await capture(connected.query('select * from t where $1::bool', [true])))
  await query()
  for (const [change, end] of [['set local search_path = other', 'commit'], ['set search_path = other', 'rollback'], ['set local search_path = other', 'rollback'], ['alter table t add column c int', 'rollback'], ['savepoint s; set search_path = other; rollback to s', 'commit']]) {
    await connected.query('begin')
    await query()
    await connected.query(change)
    await query()
    await query()
    await connected.query(end)
    await query()
  }
  return results
})
compat('a trigger that changes the settings, in a transaction', { setup: `${table}; create schema other; create table other.u (x text); create table public.u (x int, y int); create function turn() returns trigger language plpgsql as $$ begin perform set_config('search_path', 'other, public', false); return new; end $$; create trigger turn after insert on t for each row execute function turn()` }, async ({ client, capture }) => {
  const connected = await client()
  await connected.query('begin')
  const results = []
  for (let i = 0; i < 3; i++) {
    results.push(await capture(connected.query('select * from u where $1::bool', [true])), await capture(connected.query('insert into t values ($1)', [i])), await capture(connected.query('select * from u where $1::bool', [true])))
  }
  await connected.query('commit')
  results.push(await capture(connected.query('select * from u where $1::bool', [true])))
  return results
})

compat('a failed parse, many times', async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (let i = 0; i < 6; i++) results.push(await capture(connected.query('select nope where $1', [true])))
  return [results, await connected.query('select $1::int as after', [1])]
})
compat('a text that fails first and works later', async ({ client, capture }) => {
  const connected = await client()
  const query = () => capture(connected.query('select * from later where $1::bool', [true]))
  const results = [await query(), await query()]
  await connected.query('create table later as select 1 as a')
  results.push(await query(), await query())
  await connected.query('drop table later')
  results.push(await query(), await query())
  return results
})
compat('one text with values of different JavaScript types', async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (const value of [1, '2', 3n, null, true, [1], new Date(0), { a: 1 }, Buffer.from('x'), undefined]) results.push(await capture(connected.query('select $1::text as v', [value])))
  return results
})
compat('one text with a Buffer and without', async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (const value of [Buffer.from([0, 0, 0, 5]), 6, Buffer.from([0, 0, 0, 7]), '8', null]) results.push(await capture(connected.query('select $1::int as v', [value])))
  return results
})
compat('one text, rows as objects and arrays, text and binary', async ({ client }) => {
  const connected = await client()
  const config = { text: 'select $1::int as a, $2::text as b', values: [1, 'x'] }
  const results = []
  for (const extra of [{}, { rowMode: 'array' }, { binary: true }, {}, { queryMode: 'extended' }, { rowMode: 'array' }, { types: { getTypeParser: () => (value) => `<${value}>` } }, {}]) results.push(await connected.query({ ...config, ...extra }))
  return results
})
compat('one text with an unknown parameter whose type depends on nothing', async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (const value of [1, 'x', null, 1.5]) results.push(await capture(connected.query('select $1 as v, pg_typeof($1)::text as t', [value])))
  return results
})
compat('more texts than any cache holds', async ({ client }) => {
  const connected = await client()
  const sums = []
  for (let round = 0; round < 2; round++) {
    let sum = 0
    for (let i = 0; i < 700; i++) sum += (await connected.query(`select $1::int + ${i} as n`, [i])).rows[0].n
    sums.push(sum)
  }
  return sums
})
compat('a long text', async ({ client }) => {
  const connected = await client()
  const text = `select $1::int as n /* ${'x'.repeat(200_000)} */`
  return [await connected.query(text, [1]), await connected.query(text, [2])]
})
compat('texts that differ only by case, spaces or comments', async ({ client }) => {
  const connected = await client()
  const results = []
  for (const text of ['select $1::int as n', 'SELECT $1::int as n', 'select  $1::int as n', 'select $1::int as n -- c', 'select $1::int as N', 'select $1::int as "N"', '\nselect $1::int as n']) results.push(await connected.query(text, [1]), await connected.query(text, [2]))
  return results
})
compat('a statement that holds a table lock no longer than pg does', { setup: table }, async ({ client, admin }) => {
  const connected = await client()
  for (let i = 0; i < 6; i++) await connected.query('select * from t where $1::bool', [true])
  await admin('drop table t')
  return connected.query('select 1 as after')
})
compat('the caller’s own prepared statements are all that pg_prepared_statements counts by name', async ({ client }) => {
  const connected = await client()
  await connected.query('prepare mine as select 1')
  await connected.query({ name: 'named', text: 'select 2' })
  return connected.query(`select name, statement from pg_prepared_statements where name in ('mine', 'named') order by name`)
})
compat('an error in the middle of a cached statement’s rows', async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (let i = 0; i < 5; i++) results.push(await capture(connected.query('select 10 / ($1::int - n) as v from generate_series(1, 5) n', [i])))
  return results
})
compat('utility statements, many times', { setup: table }, async ({ client }) => {
  const connected = await client()
  const results = []
  for (let i = 0; i < 5; i++) for (const text of ['set enable_seqscan = on', 'show work_mem', 'begin', 'commit', 'analyze t', 'explain (costs off) select 1', `comment on table t is 'c${i}'`]) results.push(await connected.query({ text, queryMode: 'extended' }))
  return results
})
compat('a query on the connection that changes its own table', { setup: table }, async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (let i = 0; i < 4; i++) {
    results.push(await capture(connected.query('select * from t where a > $1 order by a', [0])), await capture(connected.query(`alter table t add column c${i} int default ${i}`)))
  }
  return results
})
