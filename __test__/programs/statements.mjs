// What the random programs say to the database. Each lane of a program has a table of its own; `fixed` never changes, `shared` belongs to all.

/** The tables and functions of a program. Row 100 of each lane's table is only ever added to and locked. */
export function setUp(schema, lanes) {
  const own = Array.from({ length: lanes }, (_, lane) => {
    const { table, f, view, bump } = namesOf(schema, lane)
    return `
      ${createTable(table)};
      create view ${view} as select id, n from ${table};
      create function ${f}() returns int language sql stable as 'select 1';
      create function ${bump}(by int) returns void language sql volatile as 'update ${table} set n = n + by where id = 100';`
  })
  return `
    create schema ${schema};
    create table ${schema}.fixed (id int primary key, word text not null);
    insert into ${schema}.fixed select i, 'word ' || i from generate_series(1, 10) i;
    create table ${schema}.shared (id int primary key, n int not null);
    insert into ${schema}.shared values (1, 0);
    create table ${schema}.log (lane int not null, what text not null);
    create function ${schema}.set_path(path text) returns text language sql volatile as 'select set_config(''search_path'', path, false)';
    ${own.join('')}`
}

export function namesOf(schema, lane) {
  const [table, view, f, bump, temporary] = ['t', 'v', 'f', 'bump', 'tmp'].map((prefix) => (prefix === 'tmp' ? '' : `${schema}.`) + prefix + lane)
  return { schema, lane, table, view, f, bump, temporary, bare: `t${lane}`, fixed: `${schema}.fixed`, shared: `${schema}.shared`, log: `${schema}.log` }
}

function createTable(table) {
  return `create table ${table} (id int primary key, n int not null, note text); insert into ${table} select i, i * 10, 'note ' || i from generate_series(1, 6) i; insert into ${table} values (100, 0)`
}

const ddl = [
  ({ table }) => `alter table ${table} add column if not exists extra int default 7`,
  ({ table }) => `alter table ${table} drop column if exists extra`,
  ({ table }) => `alter table ${table} alter column note type varchar(40)`,
  ({ table }) => `alter table ${table} alter column note type text`,
  ({ table }) => `alter table ${table} alter column n type bigint`,
  ({ table }) => `alter table ${table} alter column n type int`,
  ({ table }) => `alter table ${table} rename column note to remark`,
  ({ table }) => `alter table ${table} rename column remark to note`,
  ({ table, lane }) => `create index if not exists i${lane} on ${table} (n)`,
  ({ f }) => `create or replace function ${f}() returns int language sql stable as 'select 2'`,
  ({ f }) => `drop function ${f}; create function ${f}() returns text language sql stable as 'select ''three'''`,
  ({ view, table }) => `drop view if exists ${view}; create view ${view} as select note, id from ${table}`,
  ({ view, table }) => `drop view if exists ${view}; create view ${view} as select n, n + 1 as more, id from ${table}`,
  ({ table }) => `drop table ${table} cascade; ${createTable(table)}`,
]

const bad = [
  ['select $1::int as n', ['x']],
  ['select 1 / $1::int as n', [0]],
  ['select $1::date as d', ['2020-02-30']],
  ['select $1::json as j', ['{']],
  ['select nothing', []],
  ['selec 1', []],
  ['select 1 as a where $1', ['perhaps']],
  ["select 'a' || $1::int / 0", [1]],
]

/**
 * - `sql(names, args)`: text and values. The arguments are `id` (1 to 10), `n`, `which` and `fails`, and `fresh`, an id that is used once.
 * - `commutes`: several at once, on any connections, give the same whatever their order.
 * - `adds`: adds rows that other statements of the lane may read.
 * - `locks`: waits while a transaction of the program holds the row.
 * - `named`: may be a prepared statement, its text and its columns are always the same.
 * - `client`: only for a checked-out client; `session`: not in transaction mode, where the session is not the client's; `block`: only within BEGIN.
 */
export const statements = {
  fixed: { commutes: true, named: true, sql: ({ fixed }, a) => [`select id, word from ${fixed} where id = $1`, [a.id]] },
  join: { commutes: true, named: true, sql: ({ fixed }, a) => [`select a.id, b.word, count(*) over () as c from ${fixed} a join ${fixed} b on a.id <= b.id where b.id < $1 order by 1, 2`, [a.id]] },
  wide: { commutes: true, named: true, sql: (_, a) => ["select i, repeat('x', i % 50) as x, i % 3 = 0 as third, case when i % 2 = 0 then i / 7.0 end as part from generate_series(1, $1::int) i", [[0, 1, 40, 400][a.which % 4]]] },
  sleep: { commutes: true, sql: (_, a) => ['select pg_sleep(0.003), $1::int as n', [a.n]] },
  bad: { commutes: true, sql: (_, a) => bad[a.which % bad.length] },
  add: { commutes: true, locks: true, named: true, sql: ({ table }, a) => [`update ${table} set n = n + $1 where id = 100 returning id`, [a.n]] },
  bump: { commutes: true, locks: true, named: true, sql: ({ bump }, a) => [`select ${bump}($1)`, [a.n]] },
  sharedAdd: { commutes: true, locks: true, named: true, sql: ({ shared }, a) => [`update ${shared} set n = n + $1 where id = 1`, [a.n]] },
  log: { commutes: true, named: true, sql: ({ log, lane }, a) => [`insert into ${log} values (${lane}, $1)`, [`entry ${a.n}`]] },
  logAndSelect: { commutes: true, named: true, sql: ({ log, lane }, a) => [`with entry as (insert into ${log} values (${lane}, $1) returning what) select what, length(what) as l from entry`, [`with ${a.n}`]] },
  fresh: { commutes: true, adds: true, sql: ({ table }, a) => [`insert into ${table} (id, n) values ($1, $2) returning id`, [a.fresh, a.fresh]] },

  row: { sql: ({ table }, a) => [`select id, n, note from ${table} where id = $1`, [a.id]] },
  all: { sql: ({ table }) => [`select * from ${table} where id <> 100 order by id`, []] },
  count: { sql: ({ table }, a) => [`select count(*) as c, sum(n) as s from ${table} where id <> 100 and n >= $1`, [a.n]] },
  view: { sql: ({ view }) => [`select * from ${view} where id <> 100 order by id`, []] },
  f: { sql: ({ f }) => [`select ${f}() as f`, []] },
  forUpdate: { sql: ({ table }, a) => [`select id, n from ${table} where id = $1 for update`, [a.id]] },
  insert: { sql: ({ table }, a) => [`insert into ${table} (id, n) values ($1, $2) returning *`, [a.id, a.which === 0 ? null : a.n]] },
  setN: { sql: ({ table }, a) => [`update ${table} set n = $2 where id = $1 returning n`, [a.id, a.n]] },
  delete: { sql: ({ table }, a) => [`delete from ${table} where id = $1 returning id, n`, [a.id]] },
  upsert: { sql: ({ table }, a) => [`insert into ${table} as t (id, n) values ($1, $2) on conflict (id) do update set n = t.n + excluded.n returning n`, [a.id, a.n]] },
  merge: { sql: ({ table }, a) => [`merge into ${table} t using (values ($1::int, $2::int)) v (id, n) on t.id = v.id when matched then update set n = v.n when not matched then insert (id, n) values (v.id, v.n)`, [a.id, a.n]] },
  several: { sql: ({ table }, a) => [`insert into ${table} (id, n) values (${a.id + 20}, ${a.n}); update ${table} set n = n + 1 where id = ${a.id}; ${a.fails ? 'select 1 / 0; ' : ''}select count(*) as c from ${table}`, []] },
  ddl: { sql: (names, a) => [ddl[a.which % ddl.length](names), []] },
  hiddenDdl: { sql: (names, a) => [`do $do$ begin execute $ddl$ ${ddl[a.which % ddl.length](names)} $ddl$; end $do$`, []] },
  kill: { sql: () => ['select pg_terminate_backend(pg_backend_pid()), pg_sleep(20)', []] },

  lock: { client: true, locks: true, sql: ({ table }) => [`select id from ${table} where id = 100 for update`, []] },
  lockTable: { client: true, block: true, locks: true, sql: ({ table }) => [`lock table ${table} in share row exclusive mode`, []] },
  savepoint: { client: true, sql: () => ['savepoint s', []] },
  rollbackTo: { client: true, sql: () => ['rollback to savepoint s', []] },
  releaseSavepoint: { client: true, sql: () => ['release savepoint s', []] },
  setting: { client: true, session: true, sql: (_, a) => [`set my.value = '${a.n}'`, []] },
  localSetting: { client: true, block: true, sql: (_, a) => [`set local my.value = '${a.n}'`, []] },
  show: { client: true, sql: () => ["select coalesce(current_setting('my.value', true), '') as value", []] },
  path: { client: true, session: true, sql: ({ schema }) => [`set search_path to ${schema}`, []] },
  pathByFunction: { client: true, session: true, sql: ({ schema }, a) => [`select ${schema}.set_path($1)`, [a.n % 2 ? schema : 'pg_catalog']] },
  localPath: { client: true, block: true, sql: ({ schema }) => [`set local search_path to ${schema}`, []] },
  bare: { client: true, sql: ({ bare }, a) => [`select id, n from ${bare} where id = $1`, [a.id]] },
  temporary: { client: true, block: true, sql: ({ temporary }, a) => [`create temp table ${temporary} on commit drop as select ${a.n} as n${a.n % 2 ? ", 'odd' as kind" : ''}`, []] },
  fromTemporary: { client: true, sql: ({ temporary }) => [`select * from ${temporary}`, []] },
  declare: { client: true, block: true, sql: ({ fixed }, a) => [`declare c cursor for select ${a.n % 2 ? 'id' : 'word, id'} from ${fixed} order by id`, []] },
  fetch: { client: true, block: true, sql: () => ['fetch 2 from c', []] },
  close: { client: true, block: true, sql: () => ['close c', []] },
  declareHeld: { client: true, session: true, sql: ({ fixed }, a) => [`declare h cursor with hold for select ${a.n % 2 ? 'id' : 'word, id'} from ${fixed} order by id`, []] },
  fetchHeld: { client: true, session: true, sql: () => ['fetch 2 from h', []] },
  closeHeld: { client: true, session: true, sql: () => ['close h', []] },
  deallocate: { client: true, session: true, sql: () => ['deallocate p', []] },
  prepare: { client: true, session: true, sql: (_, a) => [`prepare p as select ${a.n % 2 ? `${a.n} as n` : `'${a.n}'::text as t, 1 as one`}`, []] },
  execute: { client: true, session: true, sql: () => ['execute p', []] },
}

/** Inlines values, for the simple protocol. */
export function inlined([text, values]) {
  return text.replaceAll(/\$(\d+)/g, (_, number) => literal(values[number - 1]))
}

function literal(value) {
  if (value === null) return 'null'
  return typeof value === 'number' ? (value < 0 ? `(${value})` : String(value)) : `'${value.replaceAll("'", "''")}'`
}
