/** The PostgreSQL that everyone is measured against: the emulator's server alone, with its own TLS and a password, no front before it. */

import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import pg from 'pg'
import { hold } from './resources.mjs'

const require = createRequire(import.meta.url)

/** Settings that keep the disk and background work out of the figures. */
const settings = {
  autovacuum: 'off',
  checkpoint_timeout: '1h',
  fsync: 'off',
  max_connections: 200,
  max_wal_size: '4GB',
  shared_buffers: '256MB',
  synchronous_commit: 'off',
  timezone: 'UTC',
}

/** Parts of this package that it does not export. */
function requireBuilt() {
  try {
    return {
      /** @type {typeof import('../dist/native.js')} */
      ...require('../dist/native.js'),
      /** @type {typeof import('../dist/emulator/postgres.js')} */
      ...require('../dist/emulator/postgres.js'),
    }
  } catch (cause) {
    throw new Error('the package is not built; run `npm run build` first', { cause })
  }
}

/**
 * Starts PostgreSQL and stops it, with its files, when the run ends.
 *
 * @typedef {object} Postgres
 * @property {import('./drivers/index.mjs').Address} address
 * @property {pg.Client} admin a connection of the superuser
 *
 * @returns {Promise<Postgres>}
 */
export async function startPostgres() {
  const { native, startPostgres: start } = requireBuilt()
  const { ca, certificate, key } = native.issueCertificate(['localhost', '127.0.0.1'])
  const password = randomBytes(16).toString('hex')
  const server = await start({
    host: '127.0.0.1',
    ssl: { certificate, key },
    auth: 'scram-sha-256',
    superuser: 'bench',
    password,
    settings,
  })
  hold(() => server.stop())

  const address = { host: 'localhost', port: server.port, user: 'bench', password, database: 'postgres', ca }
  const admin = new pg.Client({ ...address, ssl: { ca }, application_name: 'bench-admin' })
  // PostgreSQL may end before this connection does when a run is interrupted.
  admin.on('error', () => {})
  await admin.connect()
  hold(() => admin.end())
  return { address, admin }
}

/** @param {pg.ClientBase} admin */
export async function describeServer(admin) {
  const { rows } = await admin.query('SHOW server_version')
  return `PostgreSQL ${rows[0].server_version} (${Object.entries(settings).map(([name, value]) => `${name}=${value}`).join(' ')})`
}
