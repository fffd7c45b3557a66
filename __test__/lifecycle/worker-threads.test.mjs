// Worker threads: each with its own pools, all with one token cache; one that is terminated harms nobody.
import assert from 'node:assert/strict'
import { run, start } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('workers share the token cache of the process, and nothing else', async () => {
  const main = async () => {
    const { Worker } = await import('node:worker_threads')
    const { getToken } = await import('lakebase-native')
    const work = `
      const { parentPort, workerData } = require('node:worker_threads')
      const { createLakebasePool, getToken } = require('lakebase-native')
      const pool = createLakebasePool({ max: 2 })
      Promise.all([getToken(), ...Array.from({ length: 100 }, (_, i) => pool.query('select $1::int as number', [i * workerData]))]).then(async ([token, ...answers]) => {
        const right = answers.every(({ rows }, i) => rows[0].number === i * workerData)
        await pool.end()
        parentPort.postMessage({ token, right })
      })`
    const workers = [1, 2, 3, 4].map((workerData) => new Worker(work, { eval: true, execArgv: [], workerData }))
    const [token, ...answers] = await Promise.all([getToken(), ...workers.map((worker) => new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)))])
    console.log(JSON.stringify(answers.map((answer) => [answer.right, answer.token === token])))
  }
  const { code, stdout, stderr } = await run(main)
  assert.deepEqual([code, stderr], [0, ''])
  assert.deepEqual(JSON.parse(stdout), Array(4).fill([true, true]))
  assert.deepEqual(app.calls, { oauth: 1, postgres: 1, database: 0 })
})

// Each round starts a worker, which takes ten seconds and more on a machine that is busy enough: nothing here waits for a bound of a pool's.
test('workers that are terminated while queries run leave no session, and the process and its other pools are well', { timeout: 600_000 }, async () => {
  const main = async () => {
    const { Worker } = await import('node:worker_threads')
    const { createLakebasePool } = await import('lakebase-native')
    const work = `
      const { parentPort } = require('node:worker_threads')
      const { createLakebasePool } = require('lakebase-native')
      const pool = createLakebasePool({ max: 3, application_name: 'terminated', connectionTimeoutMillis: 0 })
      const ask = () => pool.query("select repeat('x', 10000) as text from generate_series(1, 50)").then(ask)
      for (let i = 0; i < 20; i++) ask()
      pool.query('select pg_sleep(30)')
      pool.connect().then((client) => client.query('begin')).then(() => parentPort.postMessage('busy'))`
    const pool = createLakebasePool({ max: 2, connectionTimeoutMillis: 0 })
    let stop = false
    const load = Array.from({ length: 10 }, async () => {
      while (!stop) await pool.query('select $1::int as number', [1])
    })
    for (let round = 0; round < 5; round++) {
      const worker = new Worker(work, { eval: true, execArgv: [] })
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      await worker.terminate()
    }
    stop = true
    await Promise.all(load)
    console.log((await pool.query('select 1 as one')).rows[0].one)
    await pool.end()
  }
  const { code, signal, stdout, stderr } = await run(main)
  assert.deepEqual([code, signal, stdout, stderr], [0, null, '1\n', ''])
  await until(async () => (await app.emulator.query("select 1 from pg_stat_activity where application_name = 'terminated' and wait_event is distinct from 'PgSleep'")).length === 0)
})

test('a worker that ends by itself closes its connections, also with a pool that was never ended', async () => {
  const main = async () => {
    const { Worker } = await import('node:worker_threads')
    const { once } = await import('node:events')
    const work = `
      const { createLakebasePool } = require('lakebase-native')
      const pool = createLakebasePool({ application_name: 'forgotten', allowExitOnIdle: true })
      pool.query('select 1')`
    const worker = new Worker(work, { eval: true, execArgv: [] })
    console.log((await once(worker, 'exit'))[0])
    process.send('the worker is gone')
    await new Promise((resolve) => process.once('message', resolve))
    process.disconnect()
  }
  const child = start(main)
  await child.message()
  await until(async () => (await app.emulator.query("select 1 from pg_stat_activity where application_name = 'forgotten'")).length === 0)
  child.process.send('go on')
  const { code, stdout } = await child.ended
  assert.deepEqual([code, stdout], [0, '0\n'])
})

test('workers that are terminated while they connect leave no session', async () => {
  app.emulator.setLatency(60)
  const main = async () => {
    const { Worker } = await import('node:worker_threads')
    const { createLakebasePool } = await import('lakebase-native')
    const work = `
      const { createLakebasePool } = require('lakebase-native')
      createLakebasePool({ application_name: 'connecting' }).connect()`
    const pool = createLakebasePool({ max: 1 })
    await pool.query('select 1')
    for (let round = 0; round < 6; round++) {
      const worker = new Worker(work, { eval: true, execArgv: [] })
      await new Promise((resolve) => worker.once('online', resolve))
      await new Promise((resolve) => setTimeout(resolve, 60 + round * 60))
      await worker.terminate()
    }
    // The process lives on, and so would they: for ever.
    for (let left = -1; left !== 0; ) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      const { rows } = await pool.query("select count(*)::int as left from pg_stat_activity where application_name = 'connecting'")
      left = rows[0].left
    }
    console.log('0')
    await pool.end()
  }
  const { code, stdout, stderr } = await run(main)
  assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: '0\n', stderr: '' })
})
