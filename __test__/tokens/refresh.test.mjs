// A token inside its refresh window is still good: callers get it at once, and one fetch in the background replaces it.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { getCredential, getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const CREDENTIALS = '/api/2.0/postgres/credentials'
// The window opens two minutes before the end of a life, but not before its middle.
const LIFETIME = 6_000
const app = deploy({ tokenLifetimeMillis: LIFETIME })

const credentialCall = () => event(app.emulator.events, 'call', ({ path }) => path === CREDENTIALS)

/** A cached token that is in its window. */
async function ageingToken() {
  const { token, expiresAt } = await getCredential()
  await sleep(expiresAt.getTime() - Date.now() - LIFETIME / 2 + 100)
  app.emulator.resetCounts()
  return token
}

test('a fresh token is not refreshed', async () => {
  const token = await getToken()
  for (const same of await Promise.all(range(100).map(() => getToken()))) assert.equal(same, token)
  assert.equal(app.calls.postgres, 1)
})

test('in the window, everybody gets the old token while one fetch is under way, then the new one', async () => {
  const old = await ageingToken()
  app.emulator.faults.api({ kind: 'delay', path: CREDENTIALS, millis: 1_500, times: 1 })
  const answered = credentialCall()
  for (const token of await Promise.all(range(100).map(() => getToken()))) assert.equal(token, old)
  assert.equal(app.calls.postgres, 0, 'nobody waited for the fetch')
  await answered
  let token
  do token = await getToken()
  while (token === old)
  assert.deepEqual(app.calls, { oauth: 0, postgres: 1, database: 0 })
})

test('a pool connects with the old token while the fetch hangs', async () => {
  await ageingToken()
  app.emulator.faults.api({ kind: 'hang', path: CREDENTIALS })
  const { rows } = await app.pool().query('select 1 as one')
  assert.equal(rows[0].one, 1)
})

test('a failing refresh is nobody\'s failure until the token is over; then it is, until the workspace recovers', async () => {
  const old = await ageingToken()
  app.emulator.faults.api({ kind: 'status', path: CREDENTIALS, status: 500 })
  const failed = credentialCall()
  assert.equal(await getToken(), old)
  await failed
  assert.equal(await getToken(), old)
  await sleep(LIFETIME / 2)
  const error = await failureOf(getToken())
  assert.equal(error.name, 'CredentialError')
  assert.equal(error.status, 500)
  app.emulator.faults.clear()
  assert.notEqual(await getToken(), old)
})

test('tokenRefreshBufferMillis 0 leaves a token alone until it is over', async () => {
  const old = await ageingToken()
  for (const token of await Promise.all(range(20).map(() => getToken({ tokenRefreshBufferMillis: 0 })))) assert.equal(token, old)
  assert.equal(app.calls.postgres, 0)
})

test('nothing is fetched while nobody asks', async () => {
  await getToken()
  app.emulator.resetCounts()
  await sleep(LIFETIME + 200)
  assert.deepEqual(app.calls, { oauth: 0, postgres: 0, database: 0 })
  await getToken()
  assert.equal(app.calls.postgres, 1)
})
