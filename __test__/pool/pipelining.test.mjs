// More queries than connections: they share connections, and nobody notices.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range, settle, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create table pipelined (id int primary key)' })

const pid = async (queryable) => (await queryable.query('select pg_backend_pid() as pid')).rows[0].pid

/** Sends so many queries while the answers are held back, and says how many of them PostgreSQL has run by then. */
async function runWithoutAnswers(pool, count) {
  await app.emulator.query('truncate pipelined')
  await pool.query('insert into pipelined values ($1)', [-1])
  app.emulator.setBlackHole(true, 'database')
  const answers = range(count).map((id) => pool.query('insert into pipelined values ($1)', [id]))
  await settle()
  app.emulator.setBlackHole(false, 'database')
  await Promise.all(answers)
}

test('with one connection, many queries at once all run on it, and each answer finds its caller', async () => {
  const pool = app.pool({ max: 1 })
  const first = await pid(pool)
  const answers = await Promise.all(range(500).map((number) => pool.query('select $1::int as number, pg_backend_pid() as pid', [number])))
  assert.deepEqual(answers.map(({ rows }) => rows[0].number), range(500))
  assert.ok(answers.every(({ rows }) => rows[0].pid === first))
})

test('they are on the wire together: one that waits for another\'s answer would never see it', async () => {
  const pool = app.pool({ max: 1 })
  await pid(pool)
  // Each query waits until the next one's text has reached the server, which it can only read behind its own: PostgreSQL does not read
  // ahead. So the proof is on this side of it: nothing comes back, and yet all queries have left.
  app.emulator.setLatency(100, 'database')
  const began = performance.now()
  await Promise.all(range(20).map((number) => pool.query('select $1::int', [number])))
  assert.ok(performance.now() - began < 20 * 100, 'fewer round trips than queries')
})
