// Statements are prepared once per connection, and nobody can tell: whatever happens to tables, statements and transactions.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const one = (options) => app.pool({ max: 1, ...options })
const prepared = async (queryable) => Number((await queryable.query('select count(*) as count from pg_prepared_statements')).rows[0].count)

/** A fresh table `name` with two columns and one row. */
const table = (name) => app.emulator.query(`drop table if exists ${name}; create table ${name} (id int, note text); insert into ${name} values (1, 'one')`)

test('a text with values is prepared once and used again', async () => {
  const pool = one()
  for (const number of range(5)) await pool.query('select $1::int as number', [number])
  assert.equal(await prepared(pool), 1)
})

test('a text without values is not prepared, as in node-postgres', async () => {
  const pool = one()
  await pool.query('select 1')
  assert.equal(await prepared(pool), 0)
})

test('statementCacheSize 0 prepares nothing', async () => {
  const pool = one({ statementCacheSize: 0 })
  for (const number of range(5)) assert.equal((await pool.query('select $1::int as number', [number])).rows[0].number, number)
  assert.equal(await prepared(pool), 0)
})

test('statementCacheSize bounds what is prepared; those used longest ago make room', async () => {
  const pool = one({ statementCacheSize: 5 })
  for (const number of range(50)) {
    assert.equal((await pool.query(`select $1::int + ${number} as sum`, [1])).rows[0].sum, number + 1)
    // Used all along, so it stays.
    await pool.query('select $1::text as always', ['x'])
  }
  const { rows } = await pool.query('select statement from pg_prepared_statements')
  assert.equal(rows.length, 5)
  assert.ok(rows.some(({ statement }) => statement.includes('always')))
})

for (const [what, change] of [
  ['a column is added', 'alter table changed add column more int default 7'],
  ['a column is dropped', 'alter table changed drop column note'],
  ["a column's type changes", 'alter table changed alter column note type varchar(5), alter column id type bigint'],
  ['the table is dropped and made anew', "drop table changed; create table changed (other text, id int); insert into changed values ('x', 1)"],
]) {
  for (const [who, changer] of [
    ['somebody else', () => app.emulator.query(change)],
    ['the pool itself', (pool) => pool.query(change)],
  ]) {
    test(`${what}, by ${who}`, async () => {
      await table('changed')
      const pool = one()
      const select = () => pool.query('select * from changed where id = $1', [1])
      assert.deepEqual((await select()).rows, [{ id: 1, note: 'one' }])
      await changer(pool)
      const fresh = await app.pool({ statementCacheSize: 0 }).query('select * from changed where id = $1', [1])
      for (const again of range(3)) assert.deepEqual((await select()).rows, fresh.rows, `time ${again}`)
      assert.deepEqual((await select()).fields, fresh.fields)
    })
  }
}

test('a table that changes between two transactions disturbs neither', async () => {
  await table('between')
  const pool = one()
  const columns = () => pool.transaction(async (client) => Object.keys((await client.query('select * from between_ where id = $1', [1])).rows[0]))
  await app.emulator.query('drop table if exists between_; alter table between rename to between_')
  assert.deepEqual(await columns(), ['id', 'note'])
  await app.emulator.query('alter table between_ add column more int')
  assert.deepEqual(await columns(), ['id', 'note', 'more'])
})

test('a change of schema inside a transaction is seen in it', async () => {
  await table('inside')
  await one().transaction(async (client) => {
    const keys = async () => Object.keys((await client.query('select * from inside where id = $1', [1])).rows[0])
    assert.deepEqual(await keys(), ['id', 'note'])
    await client.query('alter table inside add column more int')
    assert.deepEqual(await keys(), ['id', 'note', 'more'])
    await client.query('savepoint before_drop')
    await client.query('alter table inside drop column note')
    assert.deepEqual(await keys(), ['id', 'more'])
    await client.query('rollback to savepoint before_drop')
    assert.deepEqual(await keys(), ['id', 'note', 'more'])
  })
})

test('a change that is rolled back is undone in the cache as well', async () => {
  await table('undone')
  const pool = one()
  const keys = async () => Object.keys((await pool.query('select * from undone where id = $1', [1])).rows[0])
  await keys()
  await pool.transaction(async (client) => {
    await client.query('alter table undone drop column note')
    await client.query('select * from undone where id = $1', [1])
    throw new Error('never mind')
  }).catch(() => {})
  assert.deepEqual(await keys(), ['id', 'note'])
})

for (const forget of ['deallocate all', 'discard all', 'discard plans']) {
  test(`${forget} is survived, outside and inside of clients`, async () => {
    const pool = one()
    const select = (queryable) => queryable.query('select $1::int as number', [1])
    for (const _ of range(2)) {
      await select(pool)
      await pool.query(forget)
      assert.equal((await select(pool)).rows[0].number, 1)
    }
    const client = await pool.connect()
    await select(client)
    await client.query(forget)
    assert.equal((await select(client)).rows[0].number, 1)
    client.release()
  })
}

test('deallocate all inside a transaction is survived', async () => {
  const numbers = await one().transaction(async (client) => {
    const select = async (number) => (await client.query('select $1::int as number', [number])).rows[0].number
    await select(1)
    await client.query('deallocate all')
    return [await select(2), await select(3)]
  })
  assert.deepEqual(numbers, [2, 3])
})

test('statements that somebody deallocates behind our back are survived', async () => {
  const pool = one()
  await pool.query('select $1::int as number', [1])
  await pool.query("do $$ declare name text; begin for name in select s.name from pg_prepared_statements s loop execute format('deallocate %I', name); end loop; end $$")
  assert.equal((await pool.query('select $1::int as number', [2])).rows[0].number, 2)
})

test('a text that cannot be parsed is not kept, and works as soon as it can be', async () => {
  const pool = one()
  const select = () => pool.query('select * from not_yet where id = $1', [1])
  for (const _ of range(3)) assert.equal((await failureOf(select())).code, '42P01')
  assert.equal(await prepared(pool), 0)
  await table('not_yet')
  assert.deepEqual((await select()).rows, [{ id: 1, note: 'one' }])
})

test('an error of an execution leaves the statement in use', async () => {
  const pool = one()
  for (const _ of range(3)) assert.equal((await failureOf(pool.query('select 1 / $1::int as result', [0]))).code, '22012')
  assert.equal((await pool.query('select 1 / $1::int as result', [1])).rows[0].result, 1)
  assert.equal(await prepared(pool), 1)
})

test('one text with values of different types', async () => {
  const pool = one()
  for (const value of ['text', 5, true, null, { a: 1 }, [1, 2]]) {
    const { rows } = await pool.query('select $1::text is null as is_null', [value])
    assert.equal(rows[0].is_null, value === null)
  }
  await app.emulator.query('create table if not exists typed (id int, at timestamptz)')
  for (const id of [1, '2', '3']) await pool.query('insert into typed values ($1, $2)', [id, new Date(0)])
  assert.equal((await pool.query('select count(*)::int as count from typed where id = $1', ['2'])).rows[0].count, 1)
})

test('pipelined queries with one stale statement all get their answer', async () => {
  await table('stale')
  const pool = one()
  const select = () => pool.query('select * from stale where id = $1', [1])
  await select()
  await app.emulator.query('alter table stale add column more int')
  for (const { rows } of await Promise.all(range(50).map(select))) assert.deepEqual(rows, [{ id: 1, note: 'one', more: null }])
})

test('search_path decides anew what a name means', async () => {
  await app.emulator.query("create schema a; create schema b; create table a.t as select 'a' as which; create table b.t as select 'b' as which")
  const client = await one().connect()
  const which = async () => (await client.query('select which from t where $1', [true])).rows[0].which
  for (const path of ['a', 'b', 'a']) {
    await client.query(`set search_path to ${path}`)
    assert.equal(await which(), path)
  }
  client.release()
})
