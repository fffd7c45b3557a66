// A connection that ends with queries behind the one that runs: those that never ran go elsewhere, none runs twice.
import assert from 'node:assert/strict'
import { beforeEach } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { deploy } from '../support/deployment.mjs'
import { range, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create table written (id int)' })

const sleepers = () => app.emulator.query("select 1 from pg_stat_activity where wait_event = 'PgSleep'")

beforeEach(async () => {
  // A session whose client is gone sleeps on, and keeps its lock.
  await app.emulator.terminateConnections()
  await until(async () => (await sleepers()).length === 0)
  await app.emulator.query('truncate written')
})

const asleep = () => until(async () => (await sleepers()).length > 0)

/** The ids in the table and how often each is there, after `break_` has met a connection with so many queries behind a sleeping one. */
async function writtenAfter(break_, count) {
  const pool = app.pool({ max: 1, pipelineWrites: true })
  await pool.query('select 1')
  // Sent in one go, so that the others are behind it before it is slow.
  const slow = pool.query('insert into written select $1 from pg_sleep(60)', [-1])
  const behind = range(count).map((id) => pool.query('insert into written values ($1) returning id', [id]))
  const settled = Promise.allSettled([slow, ...behind])
  await asleep()
  await break_()
  const outcomes = await settled
  const rows = await app.emulator.query('select id, count(*) from written group by id order by id')
  return { outcomes, written: rows.map(({ id, count }) => [Number(id), Number(count)]) }
}

test('after 57P01, the query that ran fails, and every query behind it runs once on another connection', async () => {
  const { outcomes, written } = await writtenAfter(() => app.emulator.terminateConnections(), 40)
  assert.equal(outcomes[0].reason?.code, '57P01')
  outcomes.slice(1).forEach(({ value, reason }, id) => assert.equal(value?.rows[0].id, id, reason))
  assert.deepEqual(written, range(40).map((id) => [id, 1]))
  assert.equal(app.emulator.counts.logins.accepted, 2)
})

test('after a reset nobody can know: what fails has run at most once, what succeeds has run once', async () => {
  const { outcomes, written } = await writtenAfter(() => app.emulator.dropConnections('database'), 40)
  assert.equal(outcomes[0].reason?.name, 'ConnectionError')
  const times = new Map(written)
  outcomes.slice(1).forEach(({ status }, id) => {
    const count = times.get(id) ?? 0
    assert.ok(status === 'fulfilled' ? count === 1 : count <= 1, `${id}: ${status}, ${count} times`)
  })
})

test('queries that no connection has taken yet are not affected', async () => {
  const pool = app.pool({ max: 1, maxPipeline: 2, pipelineWrites: true })
  await pool.query('select 1')
  const slow = pool.query('insert into written select $1 from pg_sleep(60)', [-1])
  const behind = range(20).map((id) => pool.query('insert into written values ($1)', [id]))
  const settled = Promise.allSettled([slow, ...behind])
  await asleep()
  app.emulator.dropConnections('database')
  const outcomes = await settled
  assert.ok(outcomes.filter(({ status }) => status === 'rejected').length <= 2)
  const rows = await app.emulator.query('select id from written')
  assert.equal(new Set(rows.map(({ id }) => id)).size, rows.length)
  assert.ok(rows.length >= 19)
})

const loads = [
  ['that share connections', true, 4_000],
  ['each with its connection', false, 500],
]
for (const [how, pipelineWrites, count] of loads) {
  test(`under a load of inserts ${how}, connections that are ended again and again lose and repeat nothing`, async () => {
    const pool = app.pool({ max: 4, pipelineWrites })
    pool.on('error', () => {})
    let next = 0
    const confirmed = []
    const caller = async () => {
      for (let id = next++; id < count; id = next++) {
        try {
          await pool.query('insert into written values ($1)', [id])
          confirmed.push(id)
        } catch (error) {
          assert.ok(['57P01', 'CONNECTION_LOST', 'ECONNRESET', 'EPIPE'].includes(error.code), error)
        }
      }
    }
    const callers = Promise.all(range(40).map(caller))
    const terminator = (async () => {
      while (next < count) {
        await app.emulator.terminateConnections()
        await sleep(50)
      }
    })()
    await Promise.all([callers, terminator])
    const [{ twice, missing }] = await app.emulator.query(
      `select count(*) - count(distinct id) as twice,
        (select count(*) from unnest(array[${confirmed}]) as id where id not in (select id from written)) as missing from written`,
    )
    assert.deepEqual({ twice, missing }, { twice: '0', missing: '0' })
  })
}
