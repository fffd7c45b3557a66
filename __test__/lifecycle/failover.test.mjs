// The database goes away under load and comes back: failover, restart, a network that breaks.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { deploy } from '../support/deployment.mjs'
import { range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create table survivors (id int)' })

/** Callers that insert one number after another while `trouble` happens; the errors they met, and what became of their numbers. */
async function under(trouble, options) {
  await app.emulator.query('truncate survivors')
  const pool = app.pool({ max: 4, ...options })
  pool.on('error', () => {})
  const confirmed = []
  const errors = []
  let next = 0
  let over = false
  const callers = range(20).map(async () => {
    while (!over) {
      const id = next++
      await pool.query('insert into survivors values ($1)', [id]).then(() => confirmed.push(id), (error) => errors.push(error))
    }
  })
  for (let time = 0; time < 5; time++) {
    await sleep(100)
    await trouble()
  }
  await sleep(100)
  over = true
  await Promise.all(callers)
  const [{ twice, missing }] = await app.emulator.query(
    `select count(*) - count(distinct id) as twice,
      (select count(*) from unnest(array[${confirmed}]::int[]) as id where id not in (select id from survivors)) as missing from survivors`,
  )
  assert.deepEqual({ twice, missing }, { twice: '0', missing: '0' })
  assert.ok(pool.totalCount <= 4)
  assert.ok(confirmed.length > 100)
  return errors
}

test('sessions that are ended (57P01): only statements that were running fail, with that', async () => {
  const errors = await under(() => app.emulator.terminateConnections())
  for (const error of errors) assert.ok(['57P01', 'CONNECTION_LOST', 'ECONNRESET'].includes(error.code), error)
  assert.ok(errors.length <= 5 * 20)
})

test('a network that breaks: only queries under way fail', async () => {
  const errors = await under(() => void app.emulator.dropConnections('database'))
  for (const error of errors) assert.ok(['CONNECTION_LOST', 'ECONNRESET'].includes(error.code), error)
  assert.ok(errors.length <= 5 * 20)
})

test('a database that cannot be reached for a while: callers wait for it', async () => {
  const errors = await under(async () => {
    app.emulator.refuseConnections('database')
    app.emulator.dropConnections('database')
    await sleep(200)
    await app.emulator.acceptConnections('database')
  })
  for (const error of errors) assert.ok(['CONNECTION_LOST', 'ECONNRESET'].includes(error.code), error)
})
