// docs/orms.md, graphile-worker.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

const app = await ormApp('graphile-worker')
const seen = []
let runner
let end
let heard = () => {}
app.start(async (module) => {
  let start
  ;({ start, end } = module)
  runner = await start({
    count: async ({ n }, helpers) => {
      seen.push([n, helpers.job.attempts])
      if (n === 2 && helpers.job.attempts === 1) throw new Error('once')
      await helpers.query('select 1')
      heard()
    },
  })
})

test('a job is heard of by a notification, and run', async () => {
  const done = new Promise((resolve) => (heard = resolve))
  await runner.addJob('count', { n: 1 })
  await done
  assert.deepEqual(seen, [[1, 1]])
})

test('a job that fails is kept with its error', async () => {
  const failed = new Promise((resolve) => runner.events.once('job:failed', resolve))
  const told = new Promise((resolve) => runner.events.once('job:error', resolve))
  await runner.addJob('count', { n: 2 }, { maxAttempts: 1 })
  await Promise.all([failed, told])
  assert.deepEqual(seen.at(-1), [2, 1])
  const [{ last_error }] = await app.deployment.emulator.query('select last_error from graphile_worker._private_jobs')
  assert.match(last_error, /^Error: once|^once/)
})

test('a job that is added in a transaction that is rolled back is never run', async () => {
  const { createLakebasePool } = await app.library('lakebase-native')
  const pool = createLakebasePool()
  const work = pool.transaction(async (client) => {
    await client.query("select graphile_worker.add_job('count', '{\"n\": 3}')")
    throw new Error('changed my mind')
  })
  await assert.rejects(work, { message: 'changed my mind' })
  await pool.end()
  assert.deepEqual(await app.deployment.emulator.query("select 1 from graphile_worker._private_jobs where payload->>'n' = '3'"), [])
})

test('the pool is ended by itself', async () => {
  await runner.stop()
  await end()
  await app.sessionsEnded()
})
