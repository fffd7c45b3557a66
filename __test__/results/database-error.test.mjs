// PostgreSQL's errors are node-postgres' DatabaseError, with all fields and a stack that leads to the caller.
import assert from 'node:assert/strict'
import pg from 'pg'
import { Query } from 'lakebase-native'
import { comparison } from '../support/comparison.mjs'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({
  sql: `create table parents (id int primary key check (id > 0), name text not null unique);
    create table children (id int references parents);
    create domain positive as int check (value > 0);
    insert into parents values (1, 'one')`,
})
const same = comparison(app)

for (const [what, text, values] of [
  ['a syntax error, with its position', 'select * form parents'],
  ['a column that does not exist, with a hint', 'select parents.nme from parents'],
  ['a unique violation', "insert into parents values (1, 'two')"],
  ['a foreign key violation', 'insert into children values (9)'],
  ['a check violation', "insert into parents values (-1, 'x')"],
  ['a not-null violation', 'insert into parents values (2, null)'],
  ['a domain violation', 'select (-1)::positive'],
  ['an error inside of a function, with its context', 'do $$ begin perform 1 / 0; end $$'],
  ['an error in a query of a function, with its position in it', "do $$ begin execute 'select * form x'; end $$"],
  ['one that was raised with every field', "do $$ begin raise exception using message = 'm', detail = 'd', hint = 'h', errcode = 'ABCDE', column = 'c', constraint = 'k', datatype = 't', table = 'b', schema = 's'; end $$"],
  ['a value that does not fit its type', 'select $1::int', ['x']],
  ['an error behind rows that came already', 'select 10 / (5 - number) from generate_series(1, 9) as number'],
]) {
  test(`${what}: the same fields as in node-postgres`, async (t) => {
    const { error } = await same(t, text, values)
    assert.ok(error, 'it is an error')
    assert.equal(error.name, 'error')
  })
}

test('it is an instance of pg.DatabaseError', async () => {
  const error = await failureOf(app.pool().query('select nonsense'))
  assert.ok(error instanceof pg.DatabaseError)
  assert.equal(error.constructor.name, 'DatabaseError')
})

test('the stack leads to who asked: a query of a pool, of a client, in a transaction', async () => {
  const pool = app.pool()
  async function theFunctionWithTheQuery(queryable) {
    await queryable.query('select nonsense')
  }
  assert.match((await failureOf(theFunctionWithTheQuery(pool))).stack, /theFunctionWithTheQuery/)
  const client = await pool.connect()
  assert.match((await failureOf(theFunctionWithTheQuery(client))).stack, /theFunctionWithTheQuery/)
  client.release()
  assert.match((await failureOf(pool.transaction(theFunctionWithTheQuery))).stack, /theFunctionWithTheQuery/)
})

test('a callback and a Query get the same error', async () => {
  const pool = app.pool()
  const byCallback = await new Promise((resolve) => pool.query('select nonsense', resolve))
  assert.equal(byCallback.code, '42703')
  const client = await pool.connect()
  const query = client.query(new Query('select nonsense'))
  const byEvent = await new Promise((resolve) => query.on('error', resolve))
  assert.equal(byEvent.code, '42703')
  client.release()
})

test('too few values', async () => {
  const error = await failureOf(app.pool().query('select $1::int, $2::int', [1]))
  assert.equal(error.code, '08P01')
  assert.match(error.message, /supplies 1 parameters, but .* requires 2/)
})

test('an error does not end the connection', async () => {
  const pool = app.pool({ max: 1 })
  for (let time = 0; time < 10; time++) await failureOf(pool.query('select nonsense'))
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  assert.equal(app.emulator.counts.logins.accepted, 1)
})
