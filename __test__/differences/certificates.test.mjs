// TLS is rustls': what it has not, and Node's TLS has, is refused with the option's name, before anything is sent.
import assert from 'node:assert/strict'
import { createPrivateKey } from 'node:crypto'
import { after } from 'node:test'
import theirs from 'pg'
import ours from 'lakebase-native/pg'
import { startPostgres } from '../../dist/emulator/postgres.js'
import { makeCertificates } from '../compat/certificates.mjs'
import { failureOf } from '../support/outcome.mjs'
import { certificateFor, postgres } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

const passphrase = 'the passphrase of these tests'
const { certificate: cert, key } = certificateFor(['client'])
const locked = createPrivateKey(key).export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase })

const server = await postgres({ tls: true, host: '127.0.0.1', settings: { ssl_min_protocol_version: 'TLSv1.1', ssl_ciphers: 'DEFAULT@SECLEVEL=0' } })
after(() => server.stop())
const config = (ssl) => ({ host: 'localhost', port: server.port, user: server.superuser, database: 'postgres', ssl: { ca: server.ca, ...ssl } })

/** The TLS version of a session. */
async function session(pg, ssl) {
  const client = new pg.Client(config(ssl))
  await client.connect()
  const { rows } = await client.query('select version from pg_stat_ssl where pid = pg_backend_pid()')
  await client.end()
  return rows[0].version
}

/** The one refusal of clients and pools. */
async function refusal(ssl) {
  const client = new ours.Client(config(ssl))
  client.on('error', () => {})
  const { message } = await failureOf(client.connect())
  const pool = new ours.Pool(config(ssl))
  assert.equal((await failureOf(pool.query('select 1'))).message, message)
  await pool.end()
  assert.ok(!message.includes(passphrase))
  return message
}

test('a key with a passphrase', async () => {
  assert.equal(await session(theirs, { cert, key: locked, passphrase }), 'TLSv1.3')
  assert.match(await refusal({ cert, key: locked, passphrase }), /ssl\.passphrase/)
  assert.match(await refusal({ cert, key: locked }), /ssl\.key/)
  assert.equal(await session(ours, { cert, key }), 'TLSv1.3')
})

test('a passphrase that no key needs', async () => {
  assert.equal(await session(theirs, { passphrase }), 'TLSv1.3')
  assert.match(await refusal({ passphrase }), /ssl\.passphrase/)
})

test('a pfx', async () => {
  // Node.js has read it: it says what is wrong with it.
  assert.equal((await failureOf(session(theirs, { pfx: Buffer.from('none') }))).message, 'not enough data')
  assert.match(await refusal({ pfx: Buffer.from('none') }), /ssl\.pfx.*ssl\.ca, ssl\.cert and ssl\.key/s)
})

test('TLS 1.1', async () => {
  const old = { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
  assert.equal(await session(theirs, old), 'TLSv1.1')
  assert.match(await refusal(old), /ssl\.maxVersion/)
})

for (const version of ['TLSv1.2', 'TLSv1.3']) {
  test(`${version}`, async () => {
    for (const pg of [theirs, ours]) assert.equal(await session(pg, { minVersion: version, maxVersion: version }), version)
  })
}

test('older versions than there are, as the lowest', async () => {
  for (const pg of [theirs, ours]) assert.equal(await session(pg, { minVersion: 'TLSv1' }), 'TLSv1.3')
})

test('a server certificate of X.509 version 1', async (t) => {
  const { ca, version1 } = makeCertificates()
  const old = await startPostgres({ host: '127.0.0.1', ssl: { certificate: version1.cert, key: version1.key } })
  t.after(() => old.stop())
  const options = { host: 'localhost', port: old.port, user: old.superuser, database: 'postgres' }
  for (const ssl of [{ ca: ca.cert }, { rejectUnauthorized: false }]) {
    const [their, our] = [theirs, ours].map((pg) => new pg.Client({ ...options, ssl }))
    await their.connect()
    await their.end()
    our.on('error', () => {})
    assert.match((await failureOf(our.connect())).message, /^the certificate of localhost:\d+ was refused: .*version/i)
  }
})
