// A process that exits in the middle of work: at once, with its own exit code, leaving nothing.
import assert from 'node:assert/strict'
import { run, start } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const sessions = async () => (await app.emulator.query("select 1 from pg_stat_activity where application_name = 'exiting'")).length

/** Keeps a pool busy, then leaves in the given manner. */
async function busy(leave) {
  const { createLakebasePool } = await import('lakebase-native')
  const pool = createLakebasePool({ application_name: 'exiting', max: 4 })
  const ask = () => pool.query("select number, repeat('x', 1000) as text from generate_series(1, 100) as number").then(ask)
  for (let caller = 0; caller < 20; caller++) ask()
  const client = await pool.connect()
  await client.query('begin')
  process.send('busy')
  setTimeout(new Function(leave), 50)
}

for (const [leave, expected] of [
  ['process.exit(7)', { code: 7, signal: null }],
  ['process.exitCode = 7; process.exit()', { code: 7, signal: null }],
  ["process.kill(process.pid, 'SIGTERM')", { code: null, signal: 'SIGTERM' }],
  ["process.kill(process.pid, 'SIGKILL')", { code: null, signal: 'SIGKILL' }],
  ["throw new Error('on purpose')", { code: 1, signal: null }],
]) {
  test(`${leave} under load`, async () => {
    const child = start(busy, { args: [leave] })
    await child.message()
    const { code, signal, stderr } = await child.ended
    assert.deepEqual({ code, signal }, expected)
    if (leave.startsWith('process')) assert.equal(stderr, '')
    await until(async () => (await sessions()) === 0)
  })
}

test('process.exit() while the first connection is being made', async () => {
  app.emulator.setLatency(20)
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    createLakebasePool().query('select 1')
    setTimeout(() => process.exit(7), 60)
  }
  assert.deepEqual(await run(main), { code: 7, signal: null, stdout: '', stderr: '' })
})

test('process.exit() inside of a callback of a query', async () => {
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool()
    for (let query = 0; query < 100; query++) pool.query('select 1', () => process.exit(7))
  }
  assert.deepEqual(await run(main), { code: 7, signal: null, stdout: '', stderr: '' })
})
