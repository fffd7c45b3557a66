// The phase of each connection is in memory that Rust shares: JavaScript reads the counts without a call, in every thread.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const { environment } = createRequire(import.meta.url)('../../dist/environment.js')
const app = deploy()

// In the order of `Phase` in src/pool/ledger.rs.
const names = ['opening', 'openingForCaller', 'preparing', 'idle', 'reserved', 'leased', 'shared', 'retired', 'closing']

/** The phases that some connection is in. */
function phases(counts) {
  return Object.fromEntries(names.map((name, place) => [name, counts[place]]).filter(([, count]) => count !== 0))
}

test('a connection is in one phase at a time, from the attempt to make it until it is closed', async () => {
  const pool = app.pool({ max: 3 })
  const counts = environment.counts(pool._pool)
  assert.equal(counts.length, names.length + 1)
  assert.deepEqual(phases(counts), {})

  const connecting = pool.connect()
  assert.deepEqual(phases(counts), { openingForCaller: 1 })
  const client = await connecting
  assert.deepEqual(phases(counts), { leased: 1 })

  const query = pool.query('select pg_sleep(0.05)')
  assert.deepEqual(phases(counts), { opening: 1, leased: 1 })
  await query
  client.release()
  const both = await Promise.all([pool.connect(), pool.connect()])
  assert.deepEqual(phases(counts), { leased: 2 })
  for (const one of both) one.release()
  assert.deepEqual(phases(counts), { idle: 2 })

  const sleeping = pool.query('select pg_sleep(0.05)')
  assert.deepEqual(phases(counts), { idle: 1, shared: 1 })
  await sleeping
  await pool.end()
  assert.deepEqual(phases(counts), {})
})

test('the counts outlive their pool', async () => {
  const { code, stdout, stderr } = await run(
    async () => {
      const { createLakebasePool } = await import('lakebase-native')
      const { environment } = (await import('node:module')).createRequire(`${process.cwd()}/package.json`)('./dist/environment.js')
      let pool = createLakebasePool({ max: 1 })
      const counts = environment.counts(pool._pool)
      await pool.query('select 1')
      await pool.end()
      pool = undefined
      for (let round = 0; round < 5; round++) {
        globalThis.gc()
        await new Promise((resolve) => setImmediate(resolve))
      }
      console.log(counts.join())
    },
    { execArgv: ['--expose-gc'] },
  )
  assert.equal(code, 0, stderr)
  assert.equal(stdout.trim(), '0,0,0,0,0,0,0,0,0,1')
})

test('in a worker thread, which ends before its pool', async () => {
  const { code, stdout, stderr } = await run(async () => {
    const { Worker } = await import('node:worker_threads')
    const program = `
      const { parentPort } = require('node:worker_threads')
      const { createLakebasePool } = require('lakebase-native')
      const { environment } = require('./dist/environment.js')
      const pool = createLakebasePool({ max: 1 })
      const counts = environment.counts(pool._pool)
      pool.connect().then(() => parentPort.postMessage([...counts]))`
    const worker = new Worker(program, { eval: true, execArgv: [] })
    const [counts] = await (await import('node:events')).once(worker, 'message')
    console.log(counts.join())
    await worker.terminate()
  })
  assert.equal(code, 0, stderr)
  assert.equal(stdout.trim(), '0,0,0,0,0,1,0,0,0,0')
})
