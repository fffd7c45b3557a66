// What a failed pool.query() does to its connection. node-postgres closes it; here only one that is left in a transaction is closed,
// because a new connection costs six round trips and a login. `lakebase-native/pg` closes it, as node-postgres does: see __test__/compat.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const pid = async (queryable) => (await queryable.query('select pg_backend_pid() as pid')).rows[0].pid

test('a plain error leaves the connection in service', async () => {
  const pool = app.pool({ max: 1 })
  const first = await pid(pool)
  assert.equal((await failureOf(pool.query('select 1/0'))).code, '22012')
  assert.equal(await pid(pool), first)
})

test('an error inside a transaction closes the connection: nobody could end that transaction', async () => {
  const pool = app.pool({ max: 1 })
  const first = await pid(pool)
  await pool.query('begin')
  assert.equal((await failureOf(pool.query('select 1/0'))).code, '22012')
  assert.notEqual(await pid(pool), first)
  assert.equal(pool.totalCount, 1)
})

test('the same with a query that has a client of its own', async () => {
  const pool = app.pool({ max: 1, query_timeout: 10_000 })
  const first = await pid(pool)
  assert.equal((await failureOf(pool.query('select 1/0'))).code, '22012')
  assert.equal(await pid(pool), first)
  await pool.query('begin')
  await failureOf(pool.query('select 1/0'))
  assert.notEqual(await pid(pool), first)
})
