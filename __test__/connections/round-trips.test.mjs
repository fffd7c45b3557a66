// How often a cold start waits for the server: once to connect, and once for each time the client speaks and hears an answer.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { connect, createServer } from 'node:net'
import { createLakebasePool } from 'lakebase-native'
import { setEnvironment } from '../support/deployment.mjs'
import { postgres } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

const token = 'the-token-of-this-test'

/** Passes a connection on and counts how often its two sides have taken turns. */
async function relay(t, server) {
  const counted = { port: 0, connections: 0, turns: 0 }
  const listener = createServer((client) => {
    counted.connections++
    let isServersTurn = false
    const there = connect(server.port, server.host)
    client.on('data', (chunk) => {
      if (!isServersTurn) counted.turns++
      isServersTurn = true
      there.write(chunk)
    })
    there.on('data', (chunk) => {
      isServersTurn = false
      client.write(chunk)
    })
    for (const [socket, other] of [[client, there], [there, client]]) socket.on('error', () => {}).on('close', () => other.destroy())
  }).listen(0, '127.0.0.1')
  await once(listener, 'listening')
  t.after(() => listener.close())
  counted.port = listener.address().port
  return counted
}

/** A workspace that gives the database's password as a token. */
async function workspace(t) {
  const api = createHttpServer((request, response) => {
    request.resume().on('end', () => response.end(JSON.stringify({ token, expire_time: new Date(Date.now() + 3_600_000).toISOString() })))
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  t.after(() => {
    api.close()
    api.closeAllConnections()
  })
  return `http://127.0.0.1:${api.address().port}`
}

// PostgreSQL 17 and older: prime256v1 only. 18: both.
for (const groups of ['prime256v1', 'X25519', 'X25519:prime256v1', 'prime256v1:X25519']) {
  test(`a cold start takes five round trips to a server whose ssl_ecdh_curve is ${groups}`, async (t) => {
    setEnvironment({})
    const server = await postgres({ tls: true, host: '127.0.0.1', password: token, auth: 'password', settings: { ssl_ecdh_curve: groups } })
    t.after(() => server.stop())
    const counted = await relay(t, server)
    const pool = createLakebasePool({
      databricksHost: await workspace(t),
      endpoint: 'projects/p/branches/b/endpoints/e',
      token: 'dapi-of-this-test',
      host: 'localhost',
      port: counted.port,
      user: 'postgres',
      database: 'postgres',
      ssl: { ca: server.ca },
    })
    try {
      const { rows } = await pool.query('select ssl, version from pg_stat_ssl where pid = pg_backend_pid()')
      assert.deepEqual(rows, [{ ssl: true, version: 'TLSv1.3' }])
      assert.deepEqual([counted.connections, 1 + counted.turns], [1, 5])
    } finally {
      await pool.end()
    }
  })
}
