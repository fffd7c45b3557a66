import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, afterEach, before, test } from 'node:test'
import { startEmulator } from 'lakebase-native/emulator'
import { bearer, call, client, connected, databaseToken } from './clients.mjs'

const ME = '/api/2.0/preview/scim/v2/Me'
const CREDENTIALS = '/api/2.0/postgres/credentials'

let emulator
let headers
let token
before(async () => {
  emulator = await startEmulator()
  headers = bearer(emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN)
  token = await databaseToken(emulator)
})
afterEach(() => emulator.recover())
after(() => emulator.stop())

const me = () => call(emulator, 'GET', ME, { headers })
const credential = () => call(emulator, 'POST', CREDENTIALS, { headers, body: JSON.stringify({ endpoint: emulator.endpoint }) })
const login = () => connected(emulator, token)

test('an API fault happens as often as asked, at its path only', async () => {
  emulator.faults.api({ kind: 'status', path: ME, status: 429, retryAfterSeconds: 7, times: 2 })
  for (let i = 0; i < 2; i++) {
    const { status, headers: received, body } = await me()
    assert.deepEqual([status, received['retry-after'], body.error_code], [429, '7', 'REQUEST_LIMIT_EXCEEDED'])
    assert.equal((await credential()).status, 200)
  }
  assert.equal((await me()).status, 200)
})

test('an API fault without a count lasts until it is cleared', async () => {
  const clear = emulator.faults.api({ kind: 'status', path: /scim/, status: 503 })
  for (let i = 0; i < 3; i++) assert.equal((await me()).status, 503)
  clear()
  assert.equal((await me()).status, 200)
})

test('answers can be malformed, incomplete or expired', async () => {
  emulator.faults.api({ kind: 'malformed', times: 1 })
  const malformed = await credential()
  assert.deepEqual([malformed.status, malformed.body], [200, undefined])

  emulator.faults.api({ kind: 'missing', fields: ['token'], times: 1 })
  assert.deepEqual(Object.keys((await credential()).body), ['expire_time'])
  emulator.faults.api({ kind: 'missing', times: 1 })
  assert.deepEqual((await credential()).body, {})

  emulator.faults.api({ kind: 'expired', times: 1 })
  assert.ok(Date.parse((await credential()).body.expire_time) < emulator.now())
})

test('API connections can be reset or left without an answer', async () => {
  emulator.faults.api({ kind: 'reset', times: 1 })
  await assert.rejects(me(), { code: 'ECONNRESET' })

  emulator.faults.api({ kind: 'hang', times: 1 })
  const answer = me()
  const [{ status }] = await once(emulator.events, 'call')
  assert.equal(status, 0)
  emulator.dropConnections('api')
  await assert.rejects(answer, { code: 'ECONNRESET' })
})

test('a delayed answer comes after those that were asked for later', async () => {
  emulator.faults.api({ kind: 'delay', path: ME, millis: 50, times: 1 })
  const order = []
  await Promise.all([me().then(() => order.push('delayed')), credential().then(() => order.push('prompt'))])
  assert.deepEqual(order, ['prompt', 'delayed'])
})

test('logins can fail with the errors of PostgreSQL and of the proxy', async () => {
  const codes = {
    'starting-up': '57P03',
    'too-many-connections': '53300',
    'compute-unreachable': 'XX000',
    'unknown-endpoint': 'XX000',
  }
  for (const [error, code] of Object.entries(codes)) {
    emulator.faults.database({ kind: 'error', error, times: 1 })
    await assert.rejects(login(), { code })
  }
  const own = { code: '28000', message: 'the role may not log in' }
  emulator.faults.database({ kind: 'error', error: own, at: 'login', times: 1 })
  await assert.rejects(login(), own)
  await (await login()).end()
})

for (const at of ['connect', 'tls', 'startup', 'login']) {
  test(`a connection can be reset, closed or left hanging at ${at}`, async () => {
    emulator.faults.database({ kind: 'reset', at, times: 1 })
    await assert.rejects(login(), { code: 'ECONNRESET' })

    emulator.faults.database({ kind: 'close', at, times: 1 })
    await assert.rejects(login())

    emulator.faults.database({ kind: 'hang', at, times: 1 })
    const hanging = client(emulator, token)
    const attempt = hanging.connect()
    // Everything before the stage passes; then only the client's patience or a lost network ends it.
    await once(emulator.events, 'connect')
    emulator.dropConnections('database')
    await assert.rejects(attempt)
    emulator.faults.clear()
    await (await login()).end()
  })
}
