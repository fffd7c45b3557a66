// What a failed query gives: class, message, every field, and the state it leaves.
import { suite } from './harness.mjs'

const { compat, query } = await suite(import.meta.url)

const failing = {
  'a syntax error': 'selec 1',
  'a syntax error at the end': 'select 1 +',
  'an unterminated literal': `select 'abc`,
  'an unknown table': 'select * from nowhere',
  'an unknown table in an unknown schema': 'select * from nowhere.at_all',
  'an unknown column': 'select nope',
  'an unknown column with a hint': 'select relnam from pg_class',
  'an unknown function with a hint': 'select nope(1)',
  'an unknown type': 'select 1::nope',
  'a missing FROM entry': 'select a.b from pg_class c',
  'division by zero': 'select 1/0',
  'an integer out of range': 'select 2147483647 + 1',
  'a bad cast': `select 'x'::int`,
  'a bad date': `select '2024-02-30'::date`,
  'a bad enum of the catalog': `select 'x'::pg_catalog.regclass`,
  'a bad regular expression': `select 'a' ~ '('`,
  'a bad array': `select '{1,'::int[]`,
  'bad json with context': `select '{"a": nope}'::json`,
  'a failed subquery': 'select (select 1 union select 2)',
  'an ambiguous column': 'select oid from pg_class, pg_type',
  'an aggregate in WHERE': 'select 1 where count(*) > 0',
  'a GROUP BY error': 'select relname, count(*) from pg_class',
  'a permission error': 'set session_authorization to nobody_knows',
  'an unknown setting': 'set nope = 1',
  'a bad value of a setting': `set statement_timeout = 'soon'`,
  'a database that does not exist': 'drop database nowhere',
  'a VACUUM inside a function': 'do $$ begin execute $x$ vacuum $x$; end $$',
  'an error in PL/pgSQL: where and internal query': `do $$ begin perform 1/0; end $$`,
  'an error in a nested query: internal position': `do $$ begin execute 'select nope'; end $$`,
  'RAISE EXCEPTION': `do $$ begin raise exception 'raised %', 5; end $$`,
  'RAISE with every field': `do $$ begin raise exception using message = 'the message', detail = 'the detail', hint = 'the hint', errcode = 'ZZ123', column = 'c', constraint = 'k', datatype = 'd', table = 't', schema = 's'; end $$`,
  'RAISE with a condition name': `do $$ begin raise unique_violation; end $$`,
  'RAISE with an empty message': `do $$ begin raise exception ''; end $$`,
  'RAISE with newlines and quotes': `do $$ begin raise exception E'line 1\nline "2" '' \\\\ 😀'; end $$`,
  'RAISE of 20,000 characters': `do $$ begin raise exception '%', repeat('x', 20000); end $$`,
  'a position after multi-byte characters': `select '名前😀', nope`,
  'a position on a later line': 'select 1,\n  2,\n  nope',
  'a deep stack': `select ${'('.repeat(20_000)}1${')'.repeat(20_000)}`,
  'too many columns': `select ${Array(1665).fill('1').join(',')}`,
  'a NUL in a literal': `select U&'\\0000'`,
  'an error after rows were sent': 'select 1000 / (500 - n) from generate_series(1, 1000) n',
}
for (const [name, text] of Object.entries(failing)) {
  query(`${name}`, text)
  query(`${name}, extended`, () => ({ text, queryMode: 'extended' }))
}

const schema = `
  create table parent (id int primary key, name varchar(3) not null, n int check (n > 0), u text unique, constraint named check (id < 1000), exclude using gist (int4range(id, id + 1) with &&) where (id > 500));
  create table child (id int references parent, p int constraint fk references parent (id) deferrable initially deferred);
  create domain small as int constraint small_check check (value < 10);
  create domain needed as int not null;
  create table of_domain (s small, d needed default 1);
  create type mood as enum ('a');
  insert into parent values (1, 'a', 1, 'x');
  create view v as select 1 as a;
  create function raiser() returns trigger language plpgsql as $$ begin raise exception 'refused by trigger' using table = tg_table_name; end $$;
  create table guarded (a int); create trigger g before insert on guarded for each row execute function raiser();
  create table generated (a int generated always as identity, b int generated always as (1) stored);
  create table inherits_check (a int constraint "a ""quoted"" check" check (a > 0));`
const violations = {
  'not null': `insert into parent (id) values (2)`,
  'unique': `insert into parent values (2, 'b', 1, 'x')`,
  'primary key': `insert into parent values (1, 'b')`,
  'check': `insert into parent values (2, 'b', 0)`,
  'a named check': `insert into parent values (1000, 'b')`,
  'exclusion': `insert into parent values (600, 'b'), (600, 'c')`,
  'foreign key': `insert into child values (5, 1)`,
  'foreign key on delete': `insert into child values (1); delete from parent where id = 1`,
  'foreign key at commit': `insert into child values (1, 7)`,
  'a domain check': `insert into of_domain values (11)`,
  'a domain not null': `insert into of_domain values (1, null)`,
  'a cast to a domain': `select 11::small`,
  'varchar too long': `insert into parent values (2, 'long')`,
  'an unknown enum label': `select 'z'::mood`,
  'a view that cannot be written': `insert into v values (1)`,
  'raised by a trigger': `insert into guarded values (1)`,
  'an identity column': `insert into generated (a) values (1)`,
  'a generated column': `insert into generated (b) values (1)`,
  'a quoted constraint name': `insert into inherits_check values (0)`,
  'too many values': `insert into child values (1, 2, 3)`,
  'a duplicate table': `create table parent (a int)`,
  'a duplicate column': `alter table parent add column id int`,
  'a table with dependants': `drop table parent`,
  'a type in use': `drop type mood; select 1/0`,
  'ON CONFLICT without a constraint': `insert into child values (1) on conflict (id) do nothing`,
}
for (const [name, text] of Object.entries(violations)) {
  compat(`violation: ${name}`, { setup: schema }, async ({ client, capture }) => {
    const connected = await client()
    return { failed: await capture(connected.query(text)), after: await connected.query('select 1 as after'), status: connected.getTransactionStatus() }
  })
}

compat('in every form a query can take', async ({ client, pool, pg, capture, callback, once }) => {
  const connected = await client()
  const opened = pool({ max: 1 })
  const done = callback('callback')
  const returned = await capture(() => connected.query('select nope', done))
  await done.called
  const poolDone = callback('pool callback')
  opened.query('select nope', poolDone)
  await poolDone.called
  const event = connected.query(new pg.Query('select nope'))
  return {
    returned,
    event: await once(event, 'error'),
    promise: await capture(connected.query('select nope')),
    extended: await capture(connected.query('select nope where $1', [true])),
    named: await capture(connected.query({ name: 'n', text: 'select nope' })),
    pool: await capture(opened.query('select nope')),
    checkedOut: await opened.connect().then(async (held) => {
      const failed = await capture(held.query('select nope'))
      held.release()
      return failed
    }),
  }
})

compat('every error is its own object', async ({ client, capture }) => {
  const connected = await client()
  const [first, second] = [await capture(connected.query('select nope')), await capture(connected.query('select nope'))]
  first.rejected.message = 'changed'
  first.rejected.extra = true
  return { same: first.rejected === second.rejected, second }
})

compat('what an error inherits and shows', async ({ client, capture, pg }) => {
  const { rejected } = await capture((await client()).query('select nope'))
  return {
    string: String(rejected),
    json: JSON.stringify(rejected),
    tag: Object.prototype.toString.call(rejected),
    parent: Object.getPrototypeOf(Object.getPrototypeOf(rejected)) === Error.prototype,
    constructor: rejected.constructor === pg.DatabaseError,
    own: Object.getOwnPropertyNames(rejected).sort(),
    enumerable: Object.keys(rejected),
    stackStarts: rejected.stack.split('\n')[0],
    cause: 'cause' in rejected,
  }
})

compat('the stack leads to the caller of client.query', async ({ client }) => {
  const connected = await client()
  async function theCaller() {
    return await connected.query('select nope')
  }
  const error = await theCaller().catch((caught) => caught)
  return { caller: error.stack.includes('theCaller'), file: error.stack.includes('errors.test.mjs') }
})
compat('the stack leads to the caller of pool.query', async ({ pool }) => {
  const opened = pool()
  async function theCaller() {
    return await opened.query('select nope')
  }
  const error = await theCaller().catch((caught) => caught)
  return { caller: error.stack.includes('theCaller'), file: error.stack.includes('errors.test.mjs') }
})
compat('the stack leads to the caller of pool.connect', async ({ pool }) => {
  const opened = pool({ port: 1 })
  async function theCaller() {
    return await opened.connect()
  }
  const error = await theCaller().catch((caught) => caught)
  return { caller: error.stack.includes('theCaller'), file: error.stack.includes('errors.test.mjs'), code: error.code }
})

compat('a DatabaseError by hand', async ({ pg }) => {
  const error = new pg.DatabaseError('message', 12, 'error')
  return [error, error instanceof pg.DatabaseError, String(error)]
})

compat('the server’s messages in another language setting', async ({ client, capture }) => {
  const connected = await client({ options: '-c lc_messages=C' })
  return capture(connected.query('select nope'))
})

compat('a statement timeout', async ({ client, capture }) => {
  const connected = await client({ statement_timeout: 500 })
  return [await capture(connected.query('select pg_sleep(10)')), await connected.query('select 1 as after')]
})
compat('a lock timeout', { setup: 'create table t (a int)' }, async ({ client, capture }) => {
  const holder = await client()
  await holder.query('begin; lock table t')
  const waiter = await client({ lock_timeout: 50 })
  const failed = await capture(waiter.query('select * from t'))
  await holder.query('rollback')
  return failed
})
compat('a deadlock', { setup: 'create table t (id int primary key); insert into t values (1), (2)' }, async ({ client, capture, untilWaiting }) => {
  const [a, b] = [await client({ options: '-c deadlock_timeout=1s' }), await client({ options: '-c deadlock_timeout=50ms' })]
  await a.query('begin')
  await b.query('begin')
  await a.query('update t set id = id where id = 1')
  await b.query('update t set id = id where id = 2')
  const first = capture(a.query('update t set id = id where id = 2'))
  await untilWaiting(1)
  const second = await capture(b.query('update t set id = id where id = 1'))
  await b.query('rollback')
  const { rejected } = second
  rejected.detail = rejected.detail.replace(/\d+/g, '<n>')
  rejected.length = 0
  return { first: await first, second }
})
compat('a serialization failure', { setup: 'create table t (id int, v int); insert into t values (1, 0)' }, async ({ client, capture }) => {
  const [a, b] = [await client(), await client()]
  for (const each of [a, b]) await each.query('begin isolation level repeatable read; select * from t')
  await a.query('update t set v = 1')
  await a.query('commit')
  const failed = await capture(b.query('update t set v = 2'))
  await b.query('rollback')
  return failed
})
compat('a read-only transaction', { setup: 'create table t (a int)' }, async ({ client, capture }) => {
  const connected = await client()
  await connected.query('begin read only')
  const failed = await capture(connected.query('insert into t values (1)'))
  await connected.query('rollback')
  return failed
})
compat('insufficient privilege', { setup: 'create table secret (a int)' }, async ({ client, capture }) => capture((await client({ user: 'login_tls', ssl: { rejectUnauthorized: false } })).query('select * from secret')))

compat('errors do not mix between concurrent queries', async ({ client, capture }) => {
  const connected = await client()
  return Promise.all(['select 1 as a', 'select nope', 'select 2 as b', 'select 1/0', 'selec', 'select 3 as c'].map((text) => capture(connected.query(text))))
})
