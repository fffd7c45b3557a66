// The way to the database is blocked.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { deploy } from '../support/deployment.mjs'
import { refusal, SHORT } from '../support/refusals.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const timeout = { name: 'TimeoutError', code: 'CONNECTION_TIMEOUT', message: /connection timeout/, hint: /localhost:\d+.*check the host/ }
const reset = { name: 'ConnectionError', code: 'ECONNRESET', message: /reset|terminated/, hint: /hung up/ }

test('a host that does not exist', () =>
  refusal(app, { host: 'no-such-host.invalid' }, {
    name: 'ConnectionError',
    code: 'ENOTFOUND',
    message: /no-such-host\.invalid/,
    hint: /does not resolve/,
  }))

test('a port that refuses', async () => {
  app.emulator.refuseConnections('database')
  await refusal(app, SHORT, { name: 'ConnectionError', code: 'ECONNREFUSED', message: /localhost:\d+/, hint: /check the host and port/ })
})

test('a server that falls silent', async () => {
  app.emulator.setBlackHole(true, 'database')
  await refusal(app, SHORT, timeout)
})

for (const at of ['connect', 'tls', 'startup', 'login']) {
  test(`a server that hangs at ${at}`, async () => {
    app.emulator.faults.database({ kind: 'hang', at })
    await refusal(app, SHORT, timeout)
  })

  test(`a server that resets the connection at ${at}`, async () => {
    app.emulator.faults.database({ kind: 'reset', at })
    await refusal(app, SHORT, reset)
  })

  test(`a server that closes the connection at ${at}`, async () => {
    app.emulator.faults.database({ kind: 'close', at })
    await refusal(app, SHORT, reset)
  })
}

test('a server that speaks something else', async (t) => {
  const http = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
  }).listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.after(() => http.close())
  await refusal(app, { host: '127.0.0.1', port: http.address().port }, {
    name: 'ProtocolError',
    code: 'PROTOCOL_VIOLATION',
    message: /SSLRequest/,
    hint: /PostgreSQL server/,
  })
})

test('nobody waits for longer than connectionTimeoutMillis, the tenth caller neither', async () => {
  app.emulator.setBlackHole(true, 'database')
  const pool = app.pool({ max: 2, connectionTimeoutMillis: 500 })
  const callers = await Promise.allSettled(Array.from({ length: 10 }, () => pool.query('select 1')))
  for (const { reason } of callers) assert.deepEqual([reason.name, reason.code], ['TimeoutError', 'CONNECTION_TIMEOUT'])
})

test('a passing failure is retried within the bound, and nobody notices', async () => {
  for (const fault of [
    { kind: 'reset', at: 'connect' },
    { kind: 'close', at: 'tls' },
    { kind: 'error', error: 'starting-up' },
    { kind: 'error', error: 'too-many-connections' },
    { kind: 'error', error: 'compute-unreachable' },
    { kind: 'error', error: 'too-many-attempts' },
    { kind: 'error', error: { code: '57P01', message: 'terminating connection due to administrator command' } },
  ]) {
    app.emulator.faults.database({ ...fault, times: 2 })
    assert.equal((await app.pool().query('select 1 as one')).rows[0].one, 1)
  }
})

test('a port that accepts again is found within the bound', async () => {
  app.emulator.refuseConnections('database')
  const answer = app.pool().query('select 1 as one')
  await app.emulator.acceptConnections('database')
  assert.equal((await answer).rows[0].one, 1)
})
