// Certificates that a client shows are for the server to judge: X.509 version 1, too, as on pg.
import assert from 'node:assert/strict'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before } from 'node:test'
import theirs from 'pg'
import { createLakebasePool } from 'lakebase-native'
import ours from 'lakebase-native/pg'
import { makeCertificates } from '../compat/certificates.mjs'
import { startPostgres } from '../../dist/emulator/postgres.js'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const { ca, server: identity, version1 } = makeCertificates()
const stranger = makeCertificates().version1

let server
before(async () => {
  server = await startPostgres({ host: '127.0.0.1', ssl: { certificate: identity.cert, key: identity.key } })
  const file = join(server.dataDir, 'clients.pem')
  writeFileSync(file, ca.cert)
  chmodSync(file, 0o644)
  writeFileSync(join(server.dataDir, 'pg_hba.conf'), 'local all all trust\nhostssl all all all trust clientcert=verify-ca\n')
  await server.query(`alter system set ssl_ca_file = '${file}'`)
  await server.query('select pg_reload_conf()')
})
after(() => server.stop())

const pools = {
  pg: (options) => new theirs.Pool(options),
  'lakebase-native/pg': (options) => new ours.Pool(options),
  'createLakebasePool()': createLakebasePool,
}
for (const [name, open] of Object.entries(pools)) {
  const session = async (ssl) => {
    const pool = open({ host: 'localhost', port: server.port, user: server.superuser, database: 'postgres', password: 'none', ssl: { ca: ca.cert, ...ssl } })
    try {
      return (await pool.query('select client_dn from pg_stat_ssl where pid = pg_backend_pid()')).rows[0]
    } finally {
      await pool.end()
    }
  }

  test(`${name}: a client certificate of X.509 version 1`, async () => {
    assert.deepEqual(await session(version1), { client_dn: '/CN=localhost' })
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) assert.deepEqual(await session({ ...version1, maxVersion }), { client_dn: '/CN=localhost' })
  })

  test(`${name}: a client certificate with the key of another, of an authority unknown to the server, and none`, async () => {
    await failureOf(session({ cert: version1.cert, key: stranger.key }))
    await failureOf(session(stranger))
    assert.match((await failureOf(session())).message, /client certificate/)
  })
}

test('the refusal of a key that belongs to another certificate names both options', async () => {
  const ssl = { ca: ca.cert, cert: version1.cert, key: stranger.key }
  const pool = createLakebasePool({ host: 'localhost', port: server.port, user: 'me', database: 'mine', password: 'none', ssl })
  const error = await failureOf(pool.query('select 1'))
  await pool.end()
  assert.equal(error.name, 'ConfigurationError')
  assert.match(error.message, /ssl\.cert and ssl\.key: expected a certificate and the key that belongs to it/)
})
