// Clients that leave, at whatever point of their way: the emulator closes their connection and counts it no more.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as secure } from 'node:tls'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

function startup(parameters) {
  const body = Buffer.from(`${Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`).join('')}\0`)
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8, 0)
  head.writeUInt32BE(196_608, 4)
  return Buffer.concat([head, body])
}

function message(type, text) {
  const head = Buffer.alloc(5)
  head.write(type)
  head.writeUInt32BE(text.length + 5, 1)
  return Buffer.concat([head, Buffer.from(`${text}\0`)])
}

/** A client that has come as far as `stage`. */
async function client(stage) {
  const socket = connect(app.emulator.ports.database, '127.0.0.1')
  await once(socket, 'connect')
  if (stage === 'connected') return socket
  if (stage === 'refused without TLS') {
    socket.write(startup({ user: 'x' }))
    await once(socket, 'data')
    return socket
  }
  socket.write(SSL_REQUEST)
  await once(socket, 'data')
  if (stage === 'promised TLS') return socket
  if (stage === 'in the handshake') {
    // The first bytes of a ClientHello.
    socket.write(Buffer.from([22, 3, 1, 2, 0, 1, 0]))
    return socket
  }
  const stream = secure({ socket, ca: app.emulator.ca, servername: 'localhost' })
  await once(stream, 'secureConnect')
  if (stage === 'encrypted') return stream
  stream.write(startup(stage === 'refused without a user' ? { database: 'x' } : { user: app.emulator.env.PGUSER, database: app.emulator.database }))
  await once(stream, 'data')
  if (stage === 'asked for the password' || stage === 'refused without a user') return stream
  stream.write(message('p', 'wrong'))
  await once(stream, 'data')
  return stream
}

for (const stage of ['connected', 'refused without TLS', 'promised TLS', 'in the handshake', 'encrypted', 'asked for the password', 'refused without a user', 'refused with a wrong token']) {
  for (const way of ['end', 'destroy']) {
    test(`a client that was ${stage}, and leaves by ${way}()`, async () => {
      const stream = await client(stage)
      stream.on('error', () => {})
      assert.equal(app.emulator.counts.connections.database.open, 1)
      const gone = once(app.emulator.events, 'disconnect')
      stream[way]()
      // A server that has nothing to say to a client that ended its side says so.
      stream.resume()
      await gone
      assert.equal(app.emulator.counts.connections.database.open, 0)
    })
  }
}

test('connections that are being made when the token cannot be had', async () => {
  app.emulator.setLatency(20)
  app.emulator.faults.api({ kind: 'status', status: 403, path: '/api/2.0/postgres/credentials' })
  const pool = app.pool({ max: 4 })
  const queries = Array.from({ length: 4 }, () => pool.query('select 1'))
  for (const query of queries) assert.equal((await failureOf(query)).status, 403)
  await pool.end()
  while (app.emulator.counts.connections.database.open > 0) await once(app.emulator.events, 'disconnect')
})
