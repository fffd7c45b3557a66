// A process that was frozen for longer than its token lives, as serverless functions are.
import assert from 'node:assert/strict'
import { start } from '../support/child.mjs'
import { movableClock } from '../support/clock.mjs'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

async function twoTokens() {
  const { getToken } = await import('lakebase-native')
  process.send(await getToken())
  await new Promise((resolve) => process.once('message', resolve))
  process.send(await getToken())
  process.disconnect()
}

async function acrossGap(seconds) {
  const clock = movableClock()
  const child = start(twoTokens, { env: clock.env })
  const first = await child.message()
  clock.move({ wall: seconds, monotonic: 0 })
  app.emulator.advanceClock(seconds * 1000)
  child.process.send('again')
  const second = await child.message()
  assert.equal((await child.ended).code, 0)
  app.emulator.advanceClock(-seconds * 1000)
  return [first, second]
}

// Where clocks cannot be moved, there is nothing to test.
if (process.platform === 'linux') {
  test('it gets a new token at once, although no timer has run', async () => {
    const [first, second] = await acrossGap(2 * 3600)
    assert.notEqual(second, first)
    assert.equal(app.calls.postgres, 2)
  })

  test('a token that outlived the freeze is used on', async () => {
    const [first, second] = await acrossGap(1800)
    assert.equal(second, first)
    assert.equal(app.calls.postgres, 1)
  })
}
