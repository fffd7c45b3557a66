// The database goes away under load and comes back: failover, restart, a network that breaks.
import assert from 'node:assert/strict'
import { ConnectionError } from 'lakebase-native'
import pg from 'lakebase-native/pg'
import { deploy } from '../support/deployment.mjs'
import { range, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create table survivors (id int)' })

const CALLERS = 20
const TROUBLES = 5
/** Inserts that succeed between one trouble and the next. */
const CALM = 40

const LOST = ['CONNECTION_LOST', 'ECONNRESET', 'EPIPE']

/** Callers that insert one number after another while `trouble` happens, again and again; the errors they met. */
async function under(trouble) {
  await app.emulator.query('truncate survivors')
  const pool = app.pool({ max: 4 })
  pool.on('error', () => {})
  const confirmed = []
  const errors = []
  let next = 0
  let over = false
  const callers = range(CALLERS).map(async () => {
    while (!over) {
      const id = next++
      await pool.query('insert into survivors values ($1)', [id]).then(
        () => confirmed.push(id),
        (error) => errors.push(error),
      )
    }
  })
  const calm = (count) => until(() => confirmed.length >= count)
  for (let time = 0; time < TROUBLES; time++) {
    await calm(confirmed.length + CALM)
    await trouble()
  }
  await calm(confirmed.length + CALM)
  over = true
  await Promise.all(callers)
  const [{ twice, missing }] = await app.emulator.query(
    `select count(*) - count(distinct id) as twice,
      (select count(*) from unnest(array[${confirmed}]::int[]) as id where id not in (select id from survivors)) as missing from survivors`,
  )
  assert.deepEqual({ twice, missing }, { twice: '0', missing: '0' })
  assert.ok(pool.totalCount <= 4)
  // A caller has one query under way, and loses it at most once per trouble.
  assert.ok(errors.length <= TROUBLES * CALLERS, `${errors.length} queries failed`)
  return errors
}

const isLost = (error) => error instanceof ConnectionError && LOST.includes(error.code)

test('sessions that are ended: only statements that were running fail, with 57P01 or as lost', async () => {
  const errors = await under(() => app.emulator.terminateConnections())
  for (const error of errors) assert.ok(isLost(error) || (error instanceof pg.DatabaseError && error.code === '57P01'), error)
})

test('a network that breaks: only queries under way fail', async () => {
  const errors = await under(() => void app.emulator.dropConnections('database'))
  for (const error of errors) assert.ok(isLost(error), error)
})

test('a database that cannot be reached for a while: callers wait for it', async () => {
  const errors = await under(async () => {
    app.emulator.refuseConnections('database')
    app.emulator.dropConnections('database')
    // Long enough for attempts to be refused.
    await new Promise((resolve) => setTimeout(resolve, 200))
    await app.emulator.acceptConnections('database')
  })
  for (const error of errors) assert.ok(isLost(error), error)
})
