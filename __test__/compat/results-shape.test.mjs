// What a result object holds for every kind of statement.
import { suite } from './harness.mjs'

const { compat, query } = await suite(import.meta.url)

const table = `create table item (id serial primary key, name text not null default 'none', price numeric(10,2), at timestamptz)`
const rows = `${table}; insert into item (name, price) values ('a', 1.5), ('b', null), ('c', 3)`

/** The whole results of these statements, one after another on one client. */
function statements(name, setup, ...list) {
  compat(name, { setup }, async ({ client }) => {
    const connected = await client()
    const results = []
    for (const statement of list) results.push(await connected.query(...[statement].flat(1)))
    return results
  })
}

query('one row of one column', 'select 1 as one')
query('several columns and rows', `select n, n * 2 as double, 'x' || n as text from generate_series(1, 4) n`)
query('no rows', 'select 1 as a, 2 as b where false')
query('no columns', 'select')
query('no columns but rows', 'select from generate_series(1, 3)')
query('no columns and no rows', 'select where false')
query('nulls of several types', 'select null as a, null::int as b, null::timestamptz as c, null::int[] as d, null::jsonb as e')
query('a null in the first row and a value in the second', 'select * from (values (null, 1), (2, null)) t (a, b)')
query('rows with parameters', 'select $1::int as a, $2::text as b', [1, 'two'])
query('no rows with parameters', 'select $1::int as a where false', [1])
query('duplicate column names keep the last value', 'select 1 as a, 2 as b, 3 as a')
query('VALUES', 'values (1, $$a$$), (2, $$b$$)')
query('TABLE', 'table pg_catalog.pg_am')
query('SHOW', 'show server_encoding')
query('EXPLAIN', 'explain (costs off) select 1')
query('EXPLAIN as json', 'explain (costs off, format json) select 1')
query('a WITH query', 'with a as (select 1 as x) select * from a')
query('a large integer row count', 'select n from generate_series(1, 5000) n')
query('a row of 200 columns', `select ${Array.from({ length: 200 }, (_, i) => `${i} as c${i}`).join(', ')}`)
query('typmods: varchar, numeric, bit, timestamp, interval', `select 'a'::varchar(7), 'b'::char(3), 1.5::numeric(12,4), B'101'::bit(3), now()::timestamp(2) - now()::timestamp(2) as d, '1 day'::interval(3), 'x'::name`)
query('fields of an expression over a catalog', 'select oid, relname, relnamespace::regnamespace from pg_class where relname = $1', ['pg_type'])
query('set-returning functions side by side', 'select generate_series(1, 2) a, generate_series(1, 3) b')
query('a function with OUT parameters', `select * from pg_catalog.aclexplode('{=r/postgres}'::aclitem[])`)
query('a composite', 'select row(1, null, $$a b$$) as r')

statements('CREATE TABLE and DROP TABLE', '', 'create table made (a int)', 'drop table made', 'drop table if exists made')
statements('INSERT', table, `insert into item (name) values ('a')`, `insert into item (name) values ('b'), ('c')`, [['insert into item (name) values ($1)', ['d']]].flat())
statements('INSERT … RETURNING', table, `insert into item (name, price) values ('a', 2) returning *`, `insert into item (name) select 'q' where false returning id`)
statements('INSERT … ON CONFLICT', rows, `insert into item (id, name) values (1, 'z') on conflict do nothing`, `insert into item (id, name) values (1, 'z') on conflict (id) do update set name = excluded.name returning name`)
statements('INSERT of no rows', table, `insert into item (name) select 'a' where false`)
statements('UPDATE', rows, `update item set price = 9`, `update item set price = 8 where false`, `update item set price = 7 where id = 2 returning id, price`)
statements('DELETE', rows, `delete from item where id = 1`, `delete from item where false`, `delete from item returning name`)
statements('MERGE', rows, `merge into item using (values (1), (99)) s (id) on item.id = s.id when matched then update set name = 'm' when not matched then insert (name) values ('n')`)
statements('SELECT from a table: tableID and columnID', rows, 'select name, id, id + 1 as next from item order by id', 'select i.*, j.id from item i join item j using (id) order by 1')
statements('SELECT from a view', `${rows}; create view v as select id, upper(name) as name from item`, 'select * from v order by id')
statements('SELECT INTO and CREATE TABLE AS', rows, 'select id into copy1 from item', 'create table copy2 as select id from item', 'create table copy3 as select id from item with no data')
statements('CREATE and REFRESH MATERIALIZED VIEW', rows, 'create materialized view mv as select * from item', 'refresh materialized view mv')
statements('TRUNCATE', rows, 'truncate item')
statements('ALTER TABLE', rows, 'alter table item add column extra int default 5', 'select * from item order by id')
statements('system columns', table, `insert into item (name) values ('a')`, 'select tableoid, ctid, name from item')
statements('BEGIN, SAVEPOINT, ROLLBACK TO, RELEASE, COMMIT', '', 'begin', 'savepoint a', 'rollback to a', 'release a', 'commit')
statements('START TRANSACTION, END, ABORT', '', 'start transaction read only', 'end', 'begin', 'abort')
statements('PREPARE TRANSACTION and ROLLBACK PREPARED', table, 'begin', `insert into item (name) values ('x')`, `prepare transaction 'shape'`, `rollback prepared 'shape'`)
statements('DECLARE, FETCH, MOVE, CLOSE', '', 'begin', 'declare c cursor for select n from generate_series(1, 10) n', 'fetch 3 from c', 'move 2 in c', 'fetch all from c', 'fetch next from c', 'close c', 'commit')
statements('PREPARE, EXECUTE, DEALLOCATE', '', 'prepare p (int) as select $1 + 1 as n', 'execute p (4)', 'deallocate p', 'deallocate all')
statements('SET, RESET and SHOW', '', `set application_name = 'shape'`, 'show application_name', 'reset application_name', `set local application_name = 'x'`, 'discard plans')
statements('LISTEN, NOTIFY, UNLISTEN', '', 'listen shape', 'unlisten shape', 'unlisten *')
statements('LOCK, COMMENT, GRANT, REVOKE, VACUUM, ANALYZE', table, 'begin', 'lock table item', 'commit', `comment on table item is 'x'`, 'grant select on item to public', 'revoke all on item from public', 'vacuum item', 'analyze item')
statements('CREATE FUNCTION, CALL and DO', '', `create procedure p(inout a int) language plpgsql as $$ begin a := a + 1; end $$`, 'call p(1)', 'do $$ begin perform 1; end $$', 'create function f() returns void language sql as $$ select $$', 'select f()')
statements('CREATE TYPE, DOMAIN, SCHEMA, SEQUENCE, INDEX', '', `create type mood as enum ('a', 'b')`, 'create domain d as int check (value > 0)', 'create schema other', 'create table other.t (a int)', 'create sequence s', `select nextval('s')`, 'create index on other.t (a)', 'drop schema other cascade')
statements('a function that returns a table row type', rows, 'create function g() returns setof item language sql as $$ select * from item order by id $$', 'select * from g()', 'select g()')
statements('a domain column keeps the base type OID', 'create domain positive as int; create table d (p positive); insert into d values (1)', 'select p, p::int from d')
statements('an identity and a generated column', 'create table g (a int generated always as identity, b int generated always as (a * 2) stored)', 'insert into g default values returning *', 'select * from g')
statements('a partitioned table', 'create table p (a int) partition by range (a); create table p1 partition of p for values from (0) to (10); create table p2 partition of p for values from (10) to (20)', 'insert into p values (1), (11) returning a', 'select a, tableoid::regclass from p order by a')

for (const [form, config] of [['simple', {}], ['extended', { queryMode: 'extended' }], ['named', { name: 'shape' }]]) {
  query(`${form} query: SELECT with rows`, () => ({ text: 'select 1 as a, null as b', ...config }))
  query(`${form} query: SET`, () => ({ text: 'set enable_seqscan = on', ...config, ...(config.name ? { name: 'shape-set' } : {}) }))
  query(`${form} query: arrays of rows`, () => ({ text: 'select 1 as a, 2 as a, null as b', rowMode: 'array', ...config, ...(config.name ? { name: 'shape-array' } : {}) }))
}

query('rowMode array with no columns', () => ({ text: 'select from generate_series(1, 2)', rowMode: 'array' }))
query('rowMode array with no rows', () => ({ text: 'select 1 as a where false', rowMode: 'array' }))
query('an unknown rowMode gives objects', () => ({ text: 'select 1 as a', rowMode: 'objects' }))

compat('own keys of a result, in order', async ({ client }) => {
  const result = await (await client()).query('select 1 as a')
  return { keys: Object.keys(result).filter((key) => !key.startsWith('_')), className: result.constructor.name }
})

compat('a result is an instance of Result', async ({ client, pg }) => {
  const connected = await client()
  const results = [await connected.query('select 1'), await connected.query('begin'), await connected.query(''), ...(await connected.query('select 1; select 2'))]
  await connected.query('rollback')
  return results.map((result) => result instanceof pg.Result)
})

compat('rows are plain objects: prototype, own keys, enumerability, extensibility', async ({ client }) => {
  const { rows } = await (await client()).query('select 1 as b, null as a, 3 as "10", 4 as "2"')
  return {
    prototype: Object.getPrototypeOf(rows[0]) === Object.prototype,
    keys: Object.keys(rows[0]),
    descriptors: Object.getOwnPropertyDescriptors(rows[0]),
    extensible: Object.isExtensible(rows[0]),
    json: JSON.stringify(rows[0]),
  }
})

compat('two results of one statement share nothing that can be changed', async ({ client }) => {
  const connected = await client()
  const first = await connected.query('select 1 as a, 2 as b')
  first.rows[0].a = 'changed'
  first.rows.push('more')
  first.fields[0].name = 'renamed'
  first.fields.pop()
  return connected.query('select 1 as a, 2 as b')
})

compat('rows is a plain array', async ({ client }) => {
  const { rows } = await (await client()).query('select 1 as a union all select 2')
  return { isArray: Array.isArray(rows), prototype: Object.getPrototypeOf(rows) === Array.prototype, keys: Object.keys(rows), mapped: rows.map((row) => row.a) }
})

compat('a new Result by hand', async ({ pg }) => {
  const results = [new pg.Result(), new pg.Result('array'), new pg.Result('array', pg.types)]
  return results.map((result) => ({ ...result, _types: undefined, _parsers: undefined, parseRow: typeof result.parseRow }))
})
