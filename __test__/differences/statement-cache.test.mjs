// Texts with values stay prepared on their connection, as queries with a `name` do in pg. What shows of it: plans for all values, and that
// a text goes on meaning what it meant when it was parsed, for as long as that fits.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import theirs from 'pg'
import ours from 'lakebase-native/pg'
import { postgres } from '../support/postgres.mjs'
import { range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const server = await postgres({ host: '127.0.0.1' })
after(() => server.stop())
const config = (options) => ({ host: server.host, port: server.port, user: server.superuser, database: 'postgres', ...options })

async function connect(t, pg, options) {
  const client = new pg.Client(config(options))
  await client.connect()
  t.after(() => client.end())
  return client
}

/** The three that are compared: both drivers as they are, and ours without the cache. */
const connectAll = async (t, options) => ({
  pg: await connect(t, theirs, options),
  cached: await connect(t, ours, options),
  uncached: await connect(t, ours, { statementCacheSize: 0, ...options }),
})

/** What each of them gives, one after another. */
async function each(clients, ask) {
  const answers = {}
  for (const [who, client] of Object.entries(clients)) answers[who] = await ask(client)
  return answers
}

const same = (answer) => ({ pg: answer, cached: answer, uncached: answer })
const differs = (fresh, kept) => ({ pg: fresh, cached: kept, uncached: fresh })

const plansOf = async (client) => (await client.query('select custom_plans::int as custom, generic_plans::int as generic from pg_prepared_statements')).rows

test('after five runs of a text, the server may plan it for all values at once: as with a name in pg, not as without', async (t) => {
  const clients = await connectAll(t)
  const run = async (client, count, name) => {
    for (const value of range(count)) await client.query({ name, text: 'select $1::int as a', values: [value] })
    return plansOf(client)
  }
  // The first two of a connection are not kept: the second asks whether that may be.
  assert.deepEqual(await each(clients, (client) => run(client, 2)), same([]))
  assert.deepEqual(await each(clients, (client) => run(client, 5)), differs([], [{ custom: 5, generic: 0 }]))
  assert.deepEqual(await each(clients, (client) => run(client, 3)), differs([], [{ custom: 5, generic: 3 }]))
  assert.deepEqual(await run(await connect(t, theirs), 8, 'named'), [{ custom: 5, generic: 3 }])
})

test('in a transaction, and without values, a text is planned for itself', async (t) => {
  const clients = await connectAll(t)
  const transaction = async (client) => {
    await client.query('begin')
    for (const value of range(8)) await client.query('select $1::int as a', [value])
    await client.query('commit')
    for (const _ of range(8)) await client.query('select 1 as a')
    return plansOf(client)
  }
  assert.deepEqual(await each(clients, transaction), same([]))
})

for (const { what, before, text, values, was, change, fresh, kept, options } of [
  {
    what: 'a table that comes earlier in search_path',
    before: `create schema ahead; create table found as select 'the first' as a`,
    text: 'select a from found where $1',
    values: [true],
    was: 'the first',
    change: `create table ahead.found as select 'ahead' as a`,
    fresh: 'ahead',
    kept: 'the first',
    options: { options: '-c search_path=ahead,public' },
  },
  {
    what: 'a column of another type to which a value can be converted from the one it had',
    before: 'create table narrow (n real)',
    text: 'insert into narrow values ($1) returning n::text as a',
    values: [0.1],
    was: '0.1',
    change: 'alter table narrow alter n type double precision',
    fresh: '0.1',
    // A value that is read as `real` first.
    kept: '0.10000000149011612',
  },
]) {
  test(`${what}, made by another program, is not seen by a query that was prepared before; in a transaction it is`, async (t) => {
    await server.query(before)
    const clients = await connectAll(t, options)
    const ask = async (client) => (await client.query(text, values)).rows[0].a
    for (const _ of range(3)) assert.deepEqual(await each(clients, ask), same(was))
    await server.query(change)
    for (const _ of range(8)) assert.deepEqual(await each(clients, ask), differs(fresh, kept))
    const inTransaction = async (client) => {
      await client.query('begin')
      const answer = await ask(client)
      await client.query('commit')
      return answer
    }
    assert.deepEqual(await each(clients, inTransaction), same(fresh))
    assert.deepEqual(await each(clients, ask), same(fresh), 'and from then on')
  })
}

for (const { what, before, text, values, was, change, later = values, is } of [
  {
    what: 'another result',
    before: `create table widened as select 1 as a`,
    text: 'select * from widened where $1',
    values: [true],
    was: { a: 1 },
    change: 'alter table widened add b int default 2',
    is: { a: 1, b: 2 },
  },
  {
    what: 'a parameter that its old type cannot be converted to',
    before: `create table numbered as select '1'::text as a`,
    text: 'select a from numbered where a = $1',
    values: ['1'],
    was: { a: '1' },
    change: 'alter table numbered alter a type int using a::int',
    is: { a: 1 },
  },
  {
    what: 'a value that its old type cannot hold',
    before: 'create table small (a smallint)',
    text: 'insert into small values ($1) returning a::text',
    values: [7],
    was: { a: '7' },
    change: 'alter table small alter a type int',
    later: [70_000],
    is: { a: '70000' },
  },
  {
    what: 'a function that fits better',
    before: `create function which(bigint) returns text language sql as $$ select 'the first' $$`,
    text: 'select which($1::int) as a',
    values: [1],
    was: { a: 'the first' },
    change: `create function which(int) returns text language sql as $$ select 'the better' $$`,
    is: { a: 'the better' },
  },
  {
    what: 'a function with another body',
    before: `create function body(int) returns int language sql as 'select $1 + 1'`,
    text: 'select body($1) as a',
    values: [1],
    was: { a: 2 },
    change: `create or replace function body(int) returns int language sql as 'select $1 + 2'`,
    is: { a: 3 },
  },
  {
    what: 'a view of something else',
    before: 'create view seen as select 1 as a',
    text: 'select * from seen where $1',
    values: [true],
    was: { a: 1 },
    change: 'create or replace view seen as select 2 as a',
    is: { a: 2 },
  },
  {
    what: 'another table of the name and the form',
    before: 'create table anew as select 1 as a',
    text: 'select * from anew where $1',
    values: [true],
    was: { a: 1 },
    change: 'drop table anew; create table anew as select 2 as a',
    is: { a: 2 },
  },
  {
    what: 'another type of the name',
    before: `create type mood as enum ('fine')`,
    text: 'select $1::mood as a',
    values: ['fine'],
    was: { a: 'fine' },
    change: `drop type mood; create type mood as enum ('better', 'fine')`,
    is: { a: 'fine' },
  },
]) {
  test(`${what}, made by another program, is seen by the next query`, async (t) => {
    await server.query(before)
    const clients = await connectAll(t)
    const ask = (given) => async (client) => (await client.query(text, given)).rows[0]
    for (const _ of range(3)) assert.deepEqual(await each(clients, ask(values)), same(was))
    await server.query(change)
    for (const _ of range(2)) assert.deepEqual(await each(clients, ask(later)), same(is))
  })
}

for (const [how, wrap] of [
  ['a statement', (sql) => sql],
  ['a block', (sql) => `do $do$ begin ${sql}; end $do$`],
]) {
  test(`what ${how} changes through the same pool is seen at once on all of its connections`, async (t) => {
    await server.query(`drop schema if exists pooled cascade; create schema pooled`)
    await server.query(`create function pooled.f(bigint) returns text language sql as $$ select 'the first' $$`)
    const pool = new ours.Pool(config({ max: 2 }))
    t.after(() => pool.end())
    const [one, other] = [await pool.connect(), await pool.connect()]
    const ask = async (client) => (await client.query('select pooled.f($1::int) as a', [1])).rows[0].a
    for (const client of [one, other]) assert.equal(await ask(client), 'the first')
    await one.query(wrap(`create function pooled.f(int) returns text language sql as $$ select 'the better' $$`))
    for (const client of [one, other]) assert.equal(await ask(client), 'the better')
    for (const client of [one, other]) client.release()
  })
}

test('what a function changes that a query calls is seen by the next query on its connection', async (t) => {
  await server.query(`create schema before_all; create table within as select 'the first' as a`)
  const better = `drop table if exists before_all.within; create table before_all.within as select 'the better' as a`
  await server.query(`create function improve() returns void language plpgsql as $do$ begin ${better}; end $do$`)
  for (const client of Object.values(await connectAll(t, { options: '-c search_path=before_all,public' }))) {
    const ask = async () => (await client.query('select a from within where $1', [true])).rows[0].a
    for (const _ of range(3)) assert.equal(await ask(), 'the first')
    await client.query('select improve()')
    assert.equal(await ask(), 'the better')
    await server.query('drop table before_all.within')
  }
})
