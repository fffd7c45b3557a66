import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startEmulator } from 'lakebase-native/emulator'
import { client, connected, databaseToken } from './clients.mjs'

let emulator
let token
before(async () => {
  emulator = await startEmulator({ wakeUpDelayMillis: 30, wakeUp: 'error', authErrorStyle: 'proxy' })
  token = await databaseToken(emulator)
})
after(() => emulator.stop())

const asleep = { code: 'XX000', message: "Couldn't connect to compute node" }

/** Logs in, trying again while the database wakes up. */
async function awake() {
  for (;;) {
    try {
      return await connected(emulator, token)
    } catch (error) {
      assert.equal(error.message, asleep.message)
    }
  }
}

test('a sleeping database answers the first login with an error and is then awake', async () => {
  await assert.rejects(client(emulator, token).connect(), asleep)
  await (await awake()).end()
})

test('a wrong token is answered in the words of the open-source proxy when asked to', async () => {
  const message = `password authentication failed for user '${emulator.env.PGUSER}'`
  await assert.rejects(client(emulator, 'made-up').connect(), { code: 'XX000', severity: 'ERROR', message })
})

test('terminated sessions get 57P01; with idleOnly, only those that do nothing', async () => {
  const [idle, busy] = [await awake(), await awake()]
  const failure = new Promise((resolve) => idle.once('error', resolve))
  await busy.query('BEGIN')
  await emulator.terminateConnections({ idleOnly: true })
  assert.equal((await failure).code, '57P01')
  await busy.query('COMMIT')
  const ended = assert.rejects(busy.query('SELECT pg_sleep(60)'), { code: '57P01' })
  while ((await emulator.query("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length === 0) {
    // The statement is on its way; the test's time limit is the bound.
  }
  // The session that has just looked may still be on its way out, and is counted then.
  assert.ok((await emulator.terminateConnections()) >= 1)
  await ended
  await Promise.all([idle.ended, busy.ended])
})

test('suspension ends sessions, and the next login wakes the database again', async () => {
  const session = await awake()
  const failure = new Promise((resolve) => session.once('error', resolve))
  await emulator.suspend()
  assert.equal((await failure).code, '57P01')
  await assert.rejects(client(emulator, token).connect(), asleep)
  await (await awake()).end()
})
