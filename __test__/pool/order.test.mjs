// Who gets which connection: idle ones last in, first out; waiting callers first come, first served.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('of the idle connections, the one used last is used first', async () => {
  const pool = app.pool({ max: 4 })
  const clients = await Promise.all(range(4).map(() => pool.connect()))
  for (const client of clients) client.release()
  for (const expected of [...clients].reverse()) {
    const client = await pool.connect()
    assert.equal(client, expected)
  }
  for (const client of clients) client.release()
  const pids = new Set()
  for (let i = 0; i < 10; i++) pids.add((await pool.query('select pg_backend_pid() as pid')).rows[0].pid)
  assert.deepEqual([...pids], [clients[3].processID])
})

test('callers are served in the order in which they came, clients and queries alike', async () => {
  const pool = app.pool({ max: 1 })
  const held = await pool.connect()
  const order = []
  const checkOut = async (number) => {
    const client = await pool.connect()
    order.push(number)
    client.release()
  }
  const ask = async (number) => {
    // What must run alone cannot overtake either.
    await pool.query(`set application_name = 'caller ${number}'`)
    order.push(number)
  }
  const callers = range(10).map((number) => (number % 3 ? checkOut(number) : ask(number)))
  assert.equal(pool.waitingCount, 10)
  held.release()
  await Promise.all(callers)
  assert.deepEqual(order, range(10))
})

test('queries that share a busy connection do not hold up a caller who waits for one of its own', async () => {
  const pool = app.pool({ max: 1 })
  await pool.query('select 1')
  let stop = false
  const flood = range(20).map(async () => {
    while (!stop) await pool.query('select $1::int', [1])
  })
  const client = await pool.connect()
  stop = true
  client.release()
  await Promise.all(flood)
})
