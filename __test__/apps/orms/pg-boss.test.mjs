// docs/orms.md, pg-boss.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

const app = await ormApp('pg-boss')
let boss
let end
app.start(async (module) => {
  ;({ boss, end } = module)
  await boss.start()
})

test('a job is sent, fetched and completed', async () => {
  await boss.createQueue('mail')
  const id = await boss.send('mail', { to: 'Ada' })
  const [job] = await boss.fetch('mail')
  assert.deepEqual([job.id, job.data], [id, { to: 'Ada' }])
  await boss.complete('mail', id, { sent: true })
  const { state, output } = await boss.getJobById('mail', id)
  assert.deepEqual([state, output], ['completed', { sent: true }])
})

test('a worker takes a job', async () => {
  await boss.createQueue('count')
  const taken = new Promise((resolve) => boss.work('count', { pollingIntervalSeconds: 0.5 }, async ([job]) => resolve(job.data.n)))
  await boss.send('count', { n: 1 })
  assert.equal(await taken, 1)
})

test("an error is PostgreSQL's", async () => {
  await app.deployment.emulator.query('alter table pgboss.queue rename to elsewhere')
  await assert.rejects(boss.getQueues(), { code: '42P01' })
  await app.deployment.emulator.query('alter table pgboss.elsewhere rename to queue')
})

test('the pool is ended by itself', async () => {
  const stopped = once(boss, 'stopped')
  await boss.stop({ graceful: true })
  await stopped
  await end()
  await app.sessionsEnded()
})
