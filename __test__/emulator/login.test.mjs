import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { after, before, test } from 'node:test'
import { startEmulator } from 'lakebase-native/emulator'
import { bearer, call, client, connected, databaseToken } from './clients.mjs'
import { until } from '../support/outcome.mjs'

let emulator
let token
before(async () => {
  emulator = await startEmulator({ projects: ['shop', 'blog'] })
  token = await databaseToken(emulator)
})
after(() => emulator.stop())

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const GSSENC_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 48])
const refusal = (code) => ({ code, message: `password authentication failed for user "${emulator.env.PGUSER}"` })

/** A StartupMessage of protocol 3.`minor`. */
function startup(parameters, minor = 0) {
  const body = Buffer.from(`${Object.entries(parameters).flat().join('\0')}\0\0`)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8, 0)
  head.writeUInt32BE((3 << 16) | minor, 4)
  return Buffer.concat([head, body])
}

test('a valid token logs its identity in, and queries reach a real PostgreSQL', async () => {
  const session = await connected(emulator, token)
  const { rows } = await session.query('SELECT current_user, current_database(), $1::int + 1 AS sum', [41])
  await session.end()
  assert.deepEqual(rows, [{ current_user: emulator.env.PGUSER, current_database: 'databricks_postgres', sum: 42 }])
})

test('a Provisioned credential works as well', async () => {
  const headers = bearer(emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN)
  const body = JSON.stringify({ instance_names: [emulator.instance], request_id: 'r' })
  const { body: credential } = await call(emulator, 'POST', '/api/2.0/database/credentials', { headers, body })
  const session = await connected(emulator, credential.token, { user: emulator.envFor({ auth: 'pat' }).PGUSER })
  await session.end()
})

test('unknown tokens, other users and other endpoints get 28P01', async () => {
  await assert.rejects(client(emulator, 'made-up').connect(), refusal('28P01'))
  const other = emulator.envFor({ auth: 'pat' })
  await assert.rejects(client(emulator, token, { user: other.PGUSER }).connect(), { code: '28P01' })
  const access = other.DATABRICKS_TOKEN
  await assert.rejects(client(emulator, access, { user: other.PGUSER }).connect(), { code: '28P01' })
  const elsewhere = await databaseToken(emulator, { endpoint: emulator.endpoint.replace('shop', 'blog') })
  const login = once(emulator.events, 'login')
  await assert.rejects(client(emulator, elsewhere).connect(), refusal('28P01'))
  assert.equal((await login)[0].refusal, 'token for another endpoint')
})

test('a token that expires is refused at the next login and leaves open sessions alone', async () => {
  const short = await databaseToken(emulator)
  const session = await connected(emulator, short)
  emulator.advanceClock(3_600_000)
  await assert.rejects(client(emulator, short).connect(), refusal('28P01'))
  assert.deepEqual((await session.query('SELECT 1 AS one')).rows, [{ one: 1 }])
  await session.end()
  emulator.advanceClock(-3_600_000)
})

test('revoked tokens are refused at the next login', async () => {
  const revoked = await databaseToken(emulator)
  emulator.revokeTokens()
  await assert.rejects(client(emulator, revoked).connect(), refusal('28P01'))
  token = await databaseToken(emulator)
})

test('errors of PostgreSQL itself arrive as they are', async () => {
  await assert.rejects(client(emulator, token, { database: 'nowhere' }).connect(), { code: '3D000' })
})

test('only the parameters that the proxy knows are passed on', async () => {
  const options = { application_name: 'emulator test', options: 'endpoint=ep-x -c work_mem=5MB', statement_timeout: 1234 }
  const session = await connected(emulator, token, options)
  const setting = async (name) => (await session.query(`SHOW ${name}`)).rows[0][name]
  assert.equal(await setting('application_name'), 'emulator test')
  assert.equal(await setting('work_mem'), '5MB')
  assert.equal(await setting('statement_timeout'), '0')
  await session.end()
})

test('TLS without an SSLRequest is accepted with the ALPN protocol postgresql, and only so', async () => {
  const login = once(emulator.events, 'login')
  const session = await connected(emulator, token, { sslnegotiation: 'direct' })
  await session.end()
  const [{ directTls, serverName }] = await login
  assert.deepEqual({ directTls, serverName }, { directTls: true, serverName: 'localhost' })

  const socket = connectTls({ port: emulator.ports.database, host: '127.0.0.1', servername: 'localhost', ca: emulator.ca })
  socket.resume()
  await once(socket, 'close')
})

test('a startup without TLS is refused with the proxy\'s words', async () => {
  const error = { code: 'XX000', message: 'connection is insecure (try using `sslmode=require`)' }
  await assert.rejects(client(emulator, token, { ssl: false }).connect(), error)
})

test('GSS encryption is declined, and TLS can follow on the same connection', async () => {
  const socket = connect(emulator.ports.database, '127.0.0.1')
  socket.write(GSSENC_REQUEST)
  assert.equal(String((await once(socket, 'data'))[0]), 'N')
  socket.write(SSL_REQUEST)
  assert.equal(String((await once(socket, 'data'))[0]), 'S')
  const secure = connectTls({ socket, servername: 'localhost', ca: emulator.ca })
  await once(secure, 'secureConnect')
  secure.destroy()
})

test('bytes sent before TLS was agreed on end the connection', async () => {
  const socket = connect(emulator.ports.database, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(Buffer.concat([SSL_REQUEST, startup({ user: 'eve' })]))
  let received = ''
  socket.on('data', (chunk) => (received += chunk))
  await once(socket, 'close')
  assert.equal(received, '')
})

test('a newer protocol is negotiated down to 3.0', async () => {
  const address = { port: emulator.ports.database, host: '127.0.0.1', servername: 'localhost' }
  const socket = connectTls({ ...address, ca: emulator.ca, ALPNProtocols: ['postgresql'] })
  socket.write(startup({ user: emulator.env.PGUSER, '_pq_.novelty': '1' }, 2))
  const [first] = await once(socket, 'data')
  assert.equal(String.fromCharCode(first[0]), 'v')
  assert.equal(first.readUInt32BE(5), 3 << 16)
  assert.ok(first.includes('_pq_.novelty'))
  socket.destroy()
})

test('a cancel request stops the running statement', async () => {
  const session = await connected(emulator, token)
  const running = session.query('SELECT pg_sleep(60)')
  await until(async () => (await emulator.query("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'")).length > 0)
  const request = Buffer.alloc(16)
  ;[16, 80_877_102, session.processID, session.secretKey].forEach((value, i) => request.writeInt32BE(value, i * 4))
  const socket = connect(emulator.ports.database, '127.0.0.1')
  socket.end(request)
  await assert.rejects(running, { code: '57014' })
  assert.deepEqual((await session.query('SELECT 1 AS one')).rows, [{ one: 1 }])
  await session.end()
})

test('large results and large statements pass unharmed', async () => {
  const session = await connected(emulator, token)
  const text = 'x'.repeat(8 * 1024 * 1024)
  const { rows } = await session.query('SELECT $1::text AS text', [text])
  assert.equal(rows[0].text === text, true)
  await session.end()
})

test('logins are counted', async () => {
  emulator.resetCounts()
  await (await connected(emulator, token)).end()
  await assert.rejects(client(emulator, 'made-up').connect())
  assert.deepEqual(emulator.counts.logins, { accepted: 1, refused: 1 })
  assert.equal(emulator.counts.connections.database.opened, 2)
})
