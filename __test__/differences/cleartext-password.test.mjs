// A server that asks for the password in clear text gets it over TLS or on this machine, not over a network that can be read.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import theirs from 'pg'
import ours from 'lakebase-native/pg'
import { say } from '../compat/fake-server.mjs'
import { test } from '../support/test.mjs'

const password = 'the password of these tests'

/** What a server at `host` gets of the password from `connect`, and how that ends. */
async function received(t, host, connect) {
  let text = ''
  let started = false
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      text += data
      if (!started) socket.write(say.authentication(3))
      else if (text.includes(password)) socket.write(say.welcome())
      started = true
    })
  }).listen(0, host)
  await once(server, 'listening')
  t.after(() => server.close())
  const outcome = await connect({ host, port: server.address().port, user: 'me', database: 'mine', password, ssl: false })
  return { outcome, sent: text.includes(password) }
}

const byClient = (pg) => async (config) => {
  const client = new pg.Client(config)
  client.on('error', () => {})
  const outcome = await client.connect().then(() => 'connected', (error) => error.code)
  await client.end().catch(() => {})
  return outcome
}

const byPool = (pg) => async (config) => {
  const pool = new pg.Pool(config)
  const outcome = await pool.connect().then((client) => (client.release(true), 'connected'), (error) => error.code)
  await pool.end()
  return outcome
}

for (const [who, by] of [['a client', byClient], ['a pool', byPool]]) {
  test(`${who}: over a network it stays here, pg sends it`, async (t) => {
    // This machine under a name of its own counts as another: only loopback and Unix sockets are local.
    const host = Object.values(networkInterfaces()).flat().find(({ internal, family }) => !internal && family === 'IPv4')?.address
    assert.ok(host, 'this test needs a network interface besides loopback')
    assert.deepEqual(await received(t, host, by(theirs)), { outcome: 'connected', sent: true })
    assert.deepEqual(await received(t, host, by(ours)), { outcome: 'CLEARTEXT_REFUSED', sent: false })
  })

  test(`${who}: on this machine both send it`, async (t) => {
    for (const pg of [theirs, ours]) {
      assert.deepEqual(await received(t, '127.0.0.1', by(pg)), { outcome: 'connected', sent: true })
    }
  })
}
