// What each TLS mode means: whom it trusts, and that none falls back to plain text.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, beforeEach } from 'node:test'
import { ConfigurationError, createLakebasePool } from 'lakebase-native'
import { setEnvironment } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { postgres } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

const password = 'the password of these tests'
const UNTRUSTED = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'
const OTHER_NAME = 'ERR_TLS_CERT_ALTNAME_INVALID'

let server
let caFile
before(async () => {
  server = await postgres({ tls: true, host: '127.0.0.1', password })
  caFile = join(server.directory, 'ca.pem')
  writeFileSync(caFile, server.ca)
})
beforeEach(() => deployment())
after(() => server.stop())

function deployment(variables = {}) {
  setEnvironment({ PGHOST: 'localhost', PGPORT: String(server.port), PGUSER: 'postgres', PGDATABASE: 'postgres', PGPASSWORD: password, ...variables })
}

/** How a first query ends: `encrypted`, `plain`, or the error's code. */
async function outcome(options = {}) {
  const pool = createLakebasePool(options)
  try {
    const { rows } = await pool.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
    return rows[0].ssl ? 'encrypted' : 'plain'
  } catch (error) {
    assert.equal(error.name, 'ConnectionError')
    return error.code
  } finally {
    await pool.end()
  }
}

/** Options under which the certificate is for another name than the one that is verified. */
const wrongName = (details) => ({ ssl: { servername: 'other.example.com', ...details } })

for (const [mode, untrusted, trusted] of [
  ['require', UNTRUSTED, 'encrypted'],
  ['verify-full', UNTRUSTED, 'encrypted'],
  ['verify-ca', UNTRUSTED, 'encrypted'],
  ['prefer', 'encrypted', 'encrypted'],
  ['no-verify', 'encrypted', 'encrypted'],
  ['disable', 'plain', 'plain'],
]) {
  test(`${mode}: ${untrusted} with an unknown authority, ${trusted} with a known one`, async () => {
    assert.equal(await outcome({ sslMode: mode }), untrusted)
    assert.equal(await outcome({ ssl: mode }), untrusted)
    deployment({ PGSSLMODE: mode })
    assert.equal(await outcome(), untrusted)
    deployment({ PGSSLMODE: mode, PGSSLROOTCERT: caFile })
    assert.equal(await outcome(), trusted)
  })
}

test('the default is require', async () => {
  assert.equal(await outcome(), UNTRUSTED)
  assert.equal(await outcome({ ssl: { ca: server.ca } }), 'encrypted')
})

for (const [mode, expected] of [
  ['require', OTHER_NAME],
  ['verify-full', OTHER_NAME],
  ['verify-ca', 'encrypted'],
  ['prefer', 'encrypted'],
]) {
  test(`${mode}: ${expected} when the certificate is for another name`, async () => {
    assert.equal(await outcome({ sslMode: mode, ...wrongName({ ca: server.ca }) }), expected)
  })
}

test('ssl as in node-postgres: true, false, rejectUnauthorized, ca', async () => {
  assert.equal(await outcome({ ssl: true }), UNTRUSTED)
  assert.equal(await outcome({ ssl: false }), 'plain')
  assert.equal(await outcome({ ssl: { rejectUnauthorized: false } }), 'encrypted')
  assert.equal(await outcome({ ssl: { rejectUnauthorized: true } }), UNTRUSTED)
  assert.equal(await outcome({ ssl: { rejectUnauthorized: true, ca: Buffer.from(server.ca) } }), 'encrypted')
  assert.equal(await outcome({ ssl: { ca: [server.ca] } }), 'encrypted')
})

test('a hint tells how to trust the authority', async () => {
  const pool = createLakebasePool()
  const error = await failureOf(pool.query('select 1'))
  assert.match(error.message, /localhost/)
  assert.match(error.hint, /PGSSLROOTCERT/)
  await pool.end()
})

for (const variable of ['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'PGSSLROOTCERT']) {
  test(`${variable} names trusted authorities`, async () => {
    deployment({ [variable]: caFile })
    assert.equal(await outcome({ sslMode: 'require' }), 'encrypted')
  })
}

test('a file of authorities that is not there is a configuration error that names it', async () => {
  deployment({ PGSSLROOTCERT: '/nonexistent/ca.pem' })
  const error = await failureOf(outcome)
  assert.ok(error instanceof ConfigurationError)
  assert.match(error.message, /PGSSLROOTCERT.*\/nonexistent\/ca\.pem/s)
})

test('disable is refused for a host that is not on this machine', async () => {
  for (const host of ['database.example.com', '192.0.2.1', '2001:db8::1']) {
    const error = await failureOf(() => createLakebasePool({ host, sslMode: 'disable' }))
    assert.ok(error instanceof ConfigurationError)
    assert.deepEqual(error.problems.map(({ option }) => option), ['sslMode'])
  }
  assert.equal(await outcome({ host: '127.0.0.1', sslMode: 'disable' }), 'plain')
})

test('a server without TLS gets neither a startup message nor a password, in any mode that encrypts', async () => {
  const received = []
  const plain = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      received.push(data)
      socket.write('N')
    })
  }).listen(0, '127.0.0.1')
  await once(plain, 'listening')
  const port = plain.address().port
  for (const sslMode of ['require', 'verify-full', 'verify-ca', 'prefer', 'no-verify']) {
    received.length = 0
    assert.equal(await outcome({ host: '127.0.0.1', port, sslMode }), 'TLS_NOT_SUPPORTED')
    assert.deepEqual(received, [Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])], 'an SSLRequest and nothing more')
  }
  plain.close()
})

test('direct TLS saves asking', async () => {
  assert.equal(await outcome({ sslnegotiation: 'direct', ssl: { ca: server.ca } }), 'encrypted')
})
