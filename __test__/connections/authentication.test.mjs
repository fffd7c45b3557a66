// The ways in which PostgreSQL asks who we are.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { beforeEach } from 'node:test'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { Pool, createLakebasePool } from 'lakebase-native'
import { setEnvironment } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { certificateFor, postgres } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

const password = 'pässword, ünd 密码'
beforeEach(() => setEnvironment({}))

const at = (server, options) => ({ host: 'localhost', port: server.port, user: 'postgres', database: 'postgres', password, ...options })

async function session(options) {
  const pool = createLakebasePool({ max: 1, ...options })
  try {
    const { rows } = await pool.query('select ssl, current_user as me from pg_stat_ssl where pid = pg_backend_pid()')
    return rows[0]
  } finally {
    await pool.end()
  }
}

for (const auth of ['scram-sha-256', 'md5', 'password']) {
  test(`${auth}, with and without TLS; a wrong password is refused`, async (t) => {
    const server = await postgres({ tls: true, host: '127.0.0.1', password, auth })
    t.after(() => server.stop())
    const ssl = { ca: server.ca }
    assert.deepEqual(await session(at(server, { ssl })), { ssl: true, me: 'postgres' })
    assert.deepEqual(await session(at(server, { ssl: false })), { ssl: false, me: 'postgres' })
    assert.equal((await failureOf(session(at(server, { ssl, password: 'wrong' })))).code, '28P01')
  })
}

/** A man in the middle: ends the client's TLS with a certificate of its own, and begins another to the server. */
async function middleman(server) {
  const { certificate: cert, key } = certificateFor(['localhost'])
  const sockets = []
  const tls = createTlsServer({ cert, key }, (client) => {
    const plain = connect(server.port, '127.0.0.1')
    plain.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))
    plain.once('data', () => {
      const there = connectTls({ socket: plain, rejectUnauthorized: false })
      there.pipe(client).pipe(there)
      for (const socket of [there, client]) socket.on('error', () => {})
    })
    sockets.push(plain)
  })
  const listener = createServer((socket) => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('S')
      tls.emit('connection', socket)
    })
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    port: listener.address().port,
    close: () => {
      listener.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

test('SCRAM-SHA-256-PLUS binds the login to the certificate, so that nobody in the middle can use it', async (t) => {
  const server = await postgres({ tls: true, host: '127.0.0.1', password })
  t.after(() => server.stop())
  const middle = await middleman(server)
  t.after(() => middle.close())
  const through = (options) => session(at(server, { port: middle.port, sslMode: 'no-verify', ...options }))
  assert.deepEqual(await through({ enableChannelBinding: false }), { ssl: true, me: 'postgres' }, 'without binding it goes through')
  const error = await failureOf(through())
  assert.match(error.message, /channel binding/)
})

test('a password in clear text does not leave this machine without TLS', async (t) => {
  // This machine under a name of its own counts as another: only loopback and Unix sockets are local.
  const received = []
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      received.push(data)
      socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]))
    })
  })
  const host = Object.values(networkInterfaces()).flat().find(({ internal, family }) => !internal && family === 'IPv4')?.address
  assert.ok(host, 'this test needs a network interface besides loopback')
  server.listen(0, host)
  await once(server, 'listening')
  t.after(() => server.close())
  const pool = new Pool({ host, port: server.address().port, user: 'me', database: 'mine', password, ssl: false })
  const error = await failureOf(pool.query('select 1'))
  assert.equal(error.name, 'AuthenticationError')
  assert.equal(error.code, 'CLEARTEXT_REFUSED')
  assert.match(error.hint, /sslMode/)
  assert.ok(!Buffer.concat(received).includes(Buffer.from(password)))
  await pool.end()
})

test('trust asks for nothing', async (t) => {
  const server = await postgres({ host: '127.0.0.1' })
  t.after(() => server.stop())
  assert.deepEqual(await session(at(server, { ssl: false })), { ssl: false, me: 'postgres' })
})

test('a Unix socket needs neither TLS nor a port', async (t) => {
  const server = await postgres({})
  t.after(() => server.stop())
  assert.equal((await session(at(server, { host: server.socketDir }))).me, 'postgres')
  const connectionString = `socket:${server.socketDir}?db=postgres&user=postgres`
  const pool = createLakebasePool({ connectionString, port: server.port })
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  await pool.end()
  const missing = await failureOf(session(at(server, { host: '/nonexistent' })))
  assert.deepEqual([missing.name, missing.code], ['ConnectionError', 'ENOENT'])
})

test('a server that cannot prove that it knows the password is not believed', async (t) => {
  // It answers SCRAM with a signature that anybody could make.
  const message = (type, code, body) => {
    const length = Buffer.alloc(8)
    length.writeInt32BE(8 + body.length)
    length.writeInt32BE(code, 4)
    return Buffer.concat([Buffer.from(type), length, Buffer.from(body)])
  }
  let step = 0
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      step++
      if (step === 1) socket.write(message('R', 10, 'SCRAM-SHA-256\0\0'))
      else if (step === 2) socket.write(message('R', 11, `r=${/r=([^,\0]+)/.exec(data)[1]}abc,s=${Buffer.from('salt').toString('base64')},i=4096`))
      else socket.write(message('R', 12, `v=${Buffer.alloc(32).toString('base64')}`))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const error = await failureOf(session({ ...at({ port: server.address().port }), ssl: false }))
  assert.deepEqual([error.name, error.code], ['AuthenticationError', 'SCRAM_FAILED'])
})
