// Several statements in one text: one result each, in an array.
import { suite } from './harness.mjs'

const { compat, query } = await suite(import.meta.url)

query('two SELECTs', 'select 1 as a; select 2 as b')
query('three SELECTs with a trailing semicolon', 'select 1 as a; select 2 as b; select 3 as c;')
query('different shapes', 'select 1 as a, 2 as b; select; select null as x where false; select 5')
query('commands only', 'begin; commit')
query('a command, then rows', 'set enable_seqscan = on; select 1 as a')
query('rows, then a command', 'select 1 as a; set enable_seqscan = on')
query('a DO block between', 'select 1 as a; do $$ begin end $$; select 2 as a')
query('empty statements between', 'select 1 as a;; ; select 2 as b')
query('a trailing comment', 'select 1 as a; select 2 as b; -- end')
query('rows with no rows', 'select 1 as a where false; select 2 as b where false')
query('the same column names', 'select 1 as a; select $$x$$ as a; select true as a')
query('rowMode array', () => ({ text: 'select 1 as a; select 2 as b, 3 as b', rowMode: 'array' }))
query('an empty array of values is still a simple query', 'select 1 as a; select 2 as b', [])
query('values: cannot insert multiple commands', 'select $1::int; select 2', [1])
query('a name: cannot insert multiple commands', () => ({ name: 'multi', text: 'select 1; select 2' }))
query('queryMode extended: cannot insert multiple commands', () => ({ text: 'select 1; select 2', queryMode: 'extended' }))
query('semicolons inside literals', `select 'a;b' as a; select $x$c;d$x$ as b; select ";" from (select 1 as ";") t`)
query('a hundred statements', Array.from({ length: 100 }, (_, i) => `select ${i} as n`).join(';'))
query('an error in the first', 'select nope; select 1')
query('an error in the last', 'select 1; select 2; select nope')
query('a run-time error in the middle', 'select 1; select 1/0; select 2')
query('a syntax error anywhere stops all', 'select 1; selec 2')
query('SELECT, SHOW and EXPLAIN', 'select 1 as a; show server_encoding; explain (costs off) select 1')
query('types of each statement are its own', `select 1 as a; select '2020-01-02'::date as a; select '{"b":1}'::json as a; select '{1,2}'::int[] as a`)
query('500 rows in each of three', 'select n from generate_series(1, 500) n; select n::text from generate_series(1, 500) n; select n > 250 as b from generate_series(1, 500) n')

const counted = 'create table t (a int)'

compat('counts and commands of DDL and DML', { setup: '' }, async ({ client }) =>
  (await client()).query('create table m (a int); insert into m values (1), (2); update m set a = a + 1; delete from m where a = 2; select * from m; drop table m'))

compat('all or nothing: an error undoes what ran before in the text', { setup: counted }, async ({ client, capture }) => {
  const connected = await client()
  const failed = await capture(connected.query('insert into t values (1); select 1/0'))
  return [failed, await connected.query('select count(*) from t')]
})

compat('COMMIT inside the text keeps what ran before', { setup: counted }, async ({ client, capture }) => {
  const connected = await client()
  const failed = await capture(connected.query('begin; insert into t values (1); commit; select 1/0'))
  return [failed, await connected.query('select count(*) from t'), connected.getTransactionStatus()]
})

compat('an explicit transaction left open by an error', { setup: counted }, async ({ client, capture }) => {
  const connected = await client()
  const failed = await capture(connected.query('begin; insert into t values (1); select 1/0'))
  const refused = await capture(connected.query('select 1'))
  // An error arrives before the status that follows it; after a second one the first status is known.
  const status = connected.getTransactionStatus()
  await connected.query('rollback')
  return { failed, status, refused, after: await connected.query('select count(*) from t') }
})

compat('through a pool', async ({ pool }) => pool().query('select 1 as a; select 2 as b'))

compat('with a callback', async ({ client, callback }) => {
  const connected = await client()
  const done = callback()
  connected.query('select 1 as a; select 2 as b', done)
  await done.called
})

compat('row and end events of a Query', async ({ client, pg, watch, once }) => {
  const connected = await client()
  const query = watch(connected.query(new pg.Query('select 1 as a; select 2 as b; select 3 as c, 4 as d')), 'query', ['row', 'end', 'error'])
  await once(query, 'end')
})

compat('row events, then an error', async ({ client, pg, watch, once, settle }) => {
  const connected = await client()
  const query = watch(connected.query(new pg.Query('select 1 as a; select 1/0')), 'query', ['row', 'end', 'error'])
  await once(query, 'error')
  await settle()
})

compat('the next query gets its own result', async ({ client }) => {
  const connected = await client()
  return Promise.all([connected.query('select 1 as a; select 2 as b'), connected.query('select 3 as c'), connected.query('select 4; select 5')])
})

compat('a different type parser per query applies to each result', async ({ client }) =>
  (await client()).query({ text: 'select 1 as a; select 2 as b', types: { getTypeParser: () => (text) => `<${text}>` } }))
