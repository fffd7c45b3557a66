// A network with a distance in it changes nothing but the time.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ latencyMillis: 20, sql: 'create table distant (id int primary key, note text)' })

test('a cold start, queries of many callers and transactions', async () => {
  const pool = app.pool({ max: 4 })
  await Promise.all(range(400).map((id) => pool.query('insert into distant values ($1, $2)', [id, `note ${id}`])))
  await Promise.all(range(8).map((id) => pool.transaction((client) => client.query('update distant set note = $1 where id = $2', ['changed', id]))))
  const { rows } = await pool.query('select id, note from distant order by id')
  assert.deepEqual(rows, range(400).map((id) => ({ id, note: id < 8 ? 'changed' : `note ${id}` })))
  assert.deepEqual(app.calls, { oauth: 1, postgres: 1, database: 0 })
  assert.ok(app.emulator.counts.logins.accepted <= 4)
})

test('a large result arrives whole', async () => {
  const { rows } = await app.pool().query("select number, repeat('x', 1000) as text from generate_series(1, 20000) as number")
  assert.equal(rows.length, 20_000)
  assert.ok(rows.every(({ number, text }, index) => number === index + 1 && text.length === 1000))
})
