// A connection that the network has forgotten while nobody looked: it is asked for a sign of life, and replaced when there is none.
import assert from 'node:assert/strict'
import { start } from '../support/child.mjs'
import { movableClock } from '../support/clock.mjs'
import { deploy } from '../support/deployment.mjs'
import { event } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

/** Queries once, and once more when it is told to; tells the backends' process ids. */
async function twoQueries() {
  const { createLakebasePool } = await import('lakebase-native')
  const pool = createLakebasePool({ max: 1, idleTimeoutMillis: 0 })
  const pid = async () => (await pool.query('select pg_backend_pid() as pid where $1', [true])).rows[0].pid
  process.send(await pid())
  await new Promise((resolve) => process.once('message', resolve))
  process.send(await pid())
  await pool.end()
  process.disconnect()
}

/** Both process ids, with the clocks moved in between and, if it is to be `silent`, the old connection dead. */
async function acrossGap(gap, { silent }) {
  const clock = movableClock()
  const child = start(twoQueries, { env: clock.env })
  const first = await child.message()
  clock.move(gap)
  if (silent) {
    app.emulator.setBlackHole(true, 'database')
    void event(app.emulator.events, 'connect', (target) => target === 'database').then(() => app.emulator.setBlackHole(false, 'database'))
  }
  child.process.send('again')
  const second = await child.message()
  assert.deepEqual(await child.ended, { code: 0, signal: null, stdout: '', stderr: '' })
  return [first, second]
}

// Where clocks cannot be moved, there is nothing to test.
if (process.platform === 'linux') {
  for (const [what, gap] of [
    ['after the machine was suspended (the wall clock has moved)', { wall: 600, monotonic: 0 }],
    ['after a long idle spell (both clocks have moved)', { wall: 600, monotonic: 600 }],
    ['after the wall clock was set back', { wall: -600, monotonic: 0 }],
  ]) {
    test(`a dead connection is replaced ${what}`, async () => {
      const [first, second] = await acrossGap(gap, { silent: true })
      assert.notEqual(second, first)
    })

    test(`a living connection is kept ${what}`, async () => {
      const [first, second] = await acrossGap(gap, { silent: false })
      assert.equal(second, first)
    })
  }
}

test('a process that was stopped finds out what happened to its connection', async () => {
  const child = start(twoQueries)
  const first = await child.message()
  child.process.kill('SIGSTOP')
  await app.emulator.terminateConnections()
  child.process.send('again')
  child.process.kill('SIGCONT')
  assert.notEqual(await child.message(), first)
  assert.equal((await child.ended).code, 0)
})
