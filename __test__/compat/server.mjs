// The PostgreSQL both drivers talk to. `run.mjs` starts one for the whole run and hands it down in COMPAT_SERVER;
// a test file that is run alone starts its own.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'

import { startPostgres } from '../../dist/emulator/postgres.js'
import { makeCertificates } from './certificates.mjs'

const SETTINGS = {
  autovacuum: 'off',
  // What runs for a client that is gone ends with it.
  client_connection_check_interval: 50,
  jit: 'off',
  max_connections: 300,
  max_prepared_transactions: 10,
  shared_buffers: '64MB',
  lc_messages: 'C',
}

/** Every way to log in that pg knows has a role of its own; all others are trusted. */
const HBA = `
local all all trust
host all login_scram all scram-sha-256
host all login_md5 all md5
host all login_cleartext all password
host all login_rejected all reject
hostssl all login_tls all trust
host all login_tls all reject
host all all all trust
`
const ROLES = `
set client_min_messages = error;
create role login_scram login password 'sécret ''1';
set password_encryption = md5;
create role login_md5 login password 'md5-secret';
create role login_cleartext login password 'cleartext-secret';
create role login_rejected login;
create role login_tls login;
create role login_limited login connection limit 0;
create role login_nologin nologin;
`

/** Starts PostgreSQL in a new directory and returns where it listens and how to stop it. */
export async function startServer() {
  const { ca, server: own } = makeCertificates()
  const postgres = await startPostgres({
    binDir: process.env.COMPAT_PG_BINDIR || undefined,
    host: '127.0.0.1',
    ssl: { certificate: own.cert, key: own.key },
    settings: SETTINGS,
  })
  const caFile = path.join(postgres.directory, 'ca.crt')
  await writeFile(caFile, ca.cert)
  await writeFile(path.join(postgres.dataDir, 'pg_hba.conf'), HBA)
  await postgres.query(ROLES)
  await postgres.query('select pg_reload_conf()')
  // A reload is taken up when it suits the server: new connections show when it has been.
  for (;;) {
    const [{ rules }] = await postgres.query(`select count(*) as rules from pg_hba_file_rules`)
    const [{ loaded }] = await postgres.query(`select pg_conf_load_time() > pg_postmaster_start_time() as loaded`)
    if (Number(rules) > 4 && loaded === 't') break
  }
  const server = { host: postgres.host, port: postgres.port, user: postgres.superuser, socketDirectory: postgres.socketDir, caFile }
  return { server, stop: () => postgres.stop() }
}

/** The server of this run: the one `run.mjs` started, else a new one. `release` stops only what this call started. */
export async function acquireServer() {
  if (process.env.COMPAT_SERVER) return { server: JSON.parse(process.env.COMPAT_SERVER), release: async () => {} }
  const { server, stop } = await startServer()
  return { server, release: stop }
}
