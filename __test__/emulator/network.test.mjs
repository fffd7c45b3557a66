import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { after, afterEach, before, test } from 'node:test'
import { startEmulator } from 'lakebase-native/emulator'
import { Link } from '../../dist/emulator/link.js'
import { call, client, connected, databaseToken } from './clients.mjs'

let emulator
let token
before(async () => {
  emulator = await startEmulator()
  token = await databaseToken(emulator)
})
afterEach(() => emulator.recover())
after(() => emulator.stop())

const discover = () => call(emulator, 'GET', '/oidc/.well-known/oauth-authorization-server')

/** Whether a timer of `millis` fires before `work` is done. */
async function outlasts(work, millis) {
  let fired = false
  const timer = setTimeout(() => (fired = true), millis)
  await work()
  clearTimeout(timer)
  return fired
}

test('every round trip pays the latency, in HTTP and PostgreSQL, and the TCP handshake too', async () => {
  const session = await connected(emulator, token)
  emulator.setLatency(40)
  assert.ok(await outlasts(() => session.query('SELECT 1'), 35), 'one round trip for a query')
  // TCP, TLS 1.3 and the request: three round trips.
  assert.ok(await outlasts(discover, 3 * 40 - 10), 'three round trips for a first HTTPS call')
  await session.end()
})

test('bytes arrive whole and in order, also when the latency falls meanwhile', async () => {
  const echo = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const link = await Link.open({ host: '127.0.0.1', port: 0, target: { host: '127.0.0.1', port: echo.address().port }, latencyMillis: 20 })
  const socket = connect(link.port, '127.0.0.1')
  const sent = Buffer.from(Uint32Array.from({ length: 500_000 }, (_, i) => i).buffer)
  const received = []
  socket.on('data', (chunk) => received.push(chunk))
  socket.write(sent.subarray(0, 1_000_000))
  await once(socket, 'data')
  link.latencyMillis = 0
  socket.end(sent.subarray(1_000_000))
  await once(socket, 'close')
  assert.ok(Buffer.concat(received).equals(sent))
  assert.equal(link.open, 0)
  link.close()
  echo.close()
})

test('refused connections leave open ones alone, and the same port accepts again', async () => {
  const session = await connected(emulator, token)
  emulator.refuseConnections()
  await assert.rejects(client(emulator, token, { host: '127.0.0.1' }).connect(), { code: 'ECONNREFUSED' })
  await assert.rejects(discover())
  await session.query('SELECT 1')
  await emulator.acceptConnections()
  await (await connected(emulator, token)).end()
  assert.equal((await discover()).status, 200)
  await session.end()
})

test('in a black hole nothing moves; afterwards what was held back arrives', async () => {
  const session = await connected(emulator, token)
  emulator.setBlackHole(true, 'database')
  let settled = false
  const late = session.query('SELECT 7 AS seven').finally(() => (settled = true))
  const waiting = connected(emulator, token)
  await once(emulator.events, 'connect')
  // The other server's network is another one: its answer proves that time went by.
  assert.equal((await discover()).status, 200)
  assert.equal(settled, false)
  emulator.setBlackHole(false, 'database')
  assert.deepEqual((await late).rows, [{ seven: 7 }])
  await (await waiting).end()
  await session.end()
})

test('dropped connections end with a reset', async () => {
  const session = client(emulator, token)
  const failure = new Promise((resolve) => session.once('error', resolve))
  await session.connect()
  assert.equal(emulator.dropConnections('database'), 1)
  assert.equal((await failure).code, 'ECONNRESET')
  await session.ended
  assert.equal(emulator.counts.connections.database.open, 0)
})

test("a client's reset ends the session in PostgreSQL", async () => {
  const session = await connected(emulator, token, { application_name: 'to be reset' })
  const alive = async () => (await emulator.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'to be reset'")).length
  assert.equal(await alive(), 1)
  session.connection.stream.destroy()
  while ((await alive()) > 0) {
    // PostgreSQL notices the end of its socket by itself; the test's time limit is the bound.
  }
})
