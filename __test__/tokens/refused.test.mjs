// A token that the database refuses: one forced refresh, one more try.
import assert from 'node:assert/strict'
import { AuthenticationError, getToken } from 'lakebase-native'
import { startEmulator } from 'lakebase-native/emulator'
import { deploy, setEnvironment } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('a revoked token is replaced by one forced refresh, and the caller notices nothing', async () => {
  const old = await getToken()
  app.emulator.revokeTokens()
  app.emulator.resetCounts()
  assert.equal((await app.pool().query('select 1 as one')).rows[0].one, 1)
  assert.deepEqual(app.calls, { oauth: 0, postgres: 1, database: 0 })
  assert.deepEqual(app.emulator.counts.logins, { accepted: 1, refused: 1 })
  assert.notEqual(await getToken(), old)
})

test('many connections refused at once lead to one refresh', async () => {
  await getToken()
  app.emulator.revokeTokens()
  app.emulator.resetCounts()
  const pool = app.pool({ max: 10 })
  const clients = await Promise.all(range(10).map(() => pool.connect()))
  for (const client of clients) client.release()
  assert.equal(app.calls.postgres, 1)
})

test('an access token revoked by the workspace is replaced, too', async () => {
  await getToken()
  app.emulator.revokeTokens('access')
  app.emulator.revokeTokens()
  app.emulator.resetCounts()
  assert.equal((await app.pool().query('select 1 as one')).rows[0].one, 1)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 2, database: 0 })
})

test('a fresh token that is refused, too, is an AuthenticationError that says what to do', async () => {
  app.environment({ PGUSER: 'developer@example.com' })
  const error = await failureOf(app.pool().query('select 1'))
  assert.ok(error instanceof AuthenticationError)
  assert.equal(error.code, '28P01')
  assert.match(error.message, /password authentication failed/)
  assert.match(error.hint, /developer@example\.com/, 'names the role')
  assert.match(error.hint, /role .* exist/)
  assert.equal(error.cause.code, '28P01', "the server's own error is the cause")
  assert.deepEqual(app.calls, { oauth: 1, postgres: 2, database: 0 }, 'one forced refresh, no more')
})

test('a token for another endpoint is refused with the same advice', async () => {
  const endpoint = 'projects/emulator/branches/development/endpoints/primary'
  const error = await failureOf(app.pool({ endpoint }).query('select 1'))
  assert.ok(error instanceof AuthenticationError)
  assert.match(error.hint, /endpoint belong/)
})

test('28000 is treated alike', async () => {
  app.emulator.faults.database({ kind: 'error', error: { code: '28000', message: 'the role may not log in' }, at: 'login', times: 1 })
  assert.equal((await app.pool().query('select 1 as one')).rows[0].one, 1)
  assert.equal(app.calls.postgres, 2)
})

test("the open-source proxy's XX000 is known by its text", async () => {
  const emulator = await startEmulator({ authErrorStyle: 'proxy' })
  try {
    setEnvironment(emulator.env)
    await getToken()
    emulator.revokeTokens()
    assert.equal((await app.pool().query('select 1 as one')).rows[0].one, 1)
    setEnvironment({ ...emulator.env, PGUSER: 'developer@example.com' })
    const error = await failureOf(app.pool().query('select 1'))
    assert.ok(error instanceof AuthenticationError)
    assert.equal(error.code, 'XX000')
  } finally {
    await emulator.stop()
  }
})

test('a token that expires between the fetch and the login is replaced', async () => {
  await getToken()
  app.emulator.resetCounts()
  app.emulator.events.once('connect', () => app.emulator.advanceClock(2 * 3_600_000))
  assert.equal((await app.pool().query('select 1 as one')).rows[0].one, 1)
  assert.deepEqual(app.emulator.counts.logins, { accepted: 1, refused: 1 })
})
