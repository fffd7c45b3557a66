// A real PgBouncer, of Debian's package, in front of a PostgreSQL.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import { watch } from '../../dist/emulator/watchdog.js'
import { debianPackages, programIn } from './debian-package.mjs'

/** 1.18 knows nothing of prepared statements; 1.24 does unless `max_prepared_statements` is 0. */
const RELEASES = { 1.18: 'bookworm', 1.24: 'trixie' }
const PACKAGES = {
  bookworm: ['pgbouncer', 'libc6', 'libc-ares2', 'libevent-2.1-7', 'libssl3', 'libsystemd0', 'libpam0g', 'libaudit1', 'libcap-ng0', 'libcap2', 'libgcrypt20', 'libgpg-error0', 'liblz4-1', 'liblzma5', 'libzstd1'],
  trixie: ['pgbouncer', 'libc6', 'libcares2', 'libevent-2.1-7t64', 'libssl3t64', 'libsystemd0', 'libpam0g', 'libaudit1', 'libcap-ng0', 'libcap2', 'libzstd1', 'zlib1g'],
}

/**
 * Starts it before a server that listens on 127.0.0.1. `mode` is `session`, `transaction` or `statement`. Its clients log in as `users`, name to password,
 * by SCRAM; without users, anybody may. `settings` are further lines of its configuration.
 */
export async function startPgbouncer({ release = '1.18', mode, server, users, settings = {} }) {
  const suite = RELEASES[release]
  const [program, ...first] = programIn(await debianPackages(suite, PACKAGES[suite]), 'usr/sbin/pgbouncer')
  const directory = mkdtempSync(join(tmpdir(), 'lakebase-pgbouncer-'))
  // It reads its files again as the user that it becomes.
  chmodSync(directory, 0o755)
  const watchdog = watch(directory, {})
  const port = await freePort()
  const quoted = (text) => `"${text.replaceAll('"', '""')}"`
  const names = Object.entries(users ?? { [server.superuser ?? server.user]: '' })
  writeFileSync(join(directory, 'users'), names.map(([name, password]) => `${quoted(name)} ${quoted(password)}\n`).join(''))
  const lines = {
    listen_addr: '127.0.0.1',
    listen_port: port,
    unix_socket_dir: '',
    auth_type: users ? 'scram-sha-256' : 'trust',
    auth_file: join(directory, 'users'),
    admin_users: names[0][0],
    pool_mode: mode,
    max_client_conn: 500,
    default_pool_size: 20,
    // A backend that was killed is replaced at once, not after 15 s.
    server_login_retry: 0,
    ...(process.getuid() === 0 ? { user: 'nobody' } : {}),
    ...settings,
  }
  const text = Object.entries(lines).map(([name, value]) => `${name} = ${value}\n`)
  writeFileSync(join(directory, 'pgbouncer.ini'), `[databases]\n* = host=127.0.0.1 port=${server.port}\n[pgbouncer]\n${text.join('')}`)

  let child
  const log = []
  async function start() {
    child = spawn(program, [...first, join(directory, 'pgbouncer.ini')], { cwd: directory, detached: true, stdio: ['ignore', 'ignore', 'pipe'] })
    watchdog.guard(child.pid)
    const lines = createInterface({ input: child.stderr })
    const closed = once(child, 'close')
    await Promise.race([
      new Promise((resolve) => {
        lines.on('line', (line) => {
          if (log.push(line) > 40) log.shift()
          if (line.includes('process up')) resolve()
        })
      }),
      closed.then(() => {
        throw new Error(`PgBouncer ended at start:\n${log.join('\n')}`)
      }),
    ])
  }
  async function kill() {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  await start()
  return {
    host: '127.0.0.1',
    port,
    /** Its last lines. */
    log,
    /** Ends it with everything that is on it, and starts it again on the same port. */
    async restart() {
      await kill()
      await start()
    },
    kill,
    start,
    /** A command of its console, such as `show pools`. */
    async console(command) {
      const client = new pg.Client({ host: '127.0.0.1', port, user: names[0][0], password: names[0][1], database: 'pgbouncer' })
      await client.connect()
      try {
        return (await client.query(command)).rows
      } finally {
        await client.end()
      }
    },
    async stop() {
      await kill()
      watchdog.guard(undefined)
      watchdog.dismiss()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
