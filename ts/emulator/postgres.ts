/** Starts and stops a private, throw-away PostgreSQL. Also used, with its own TLS and passwords, by tests and benchmarks. */

import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { createInterface, type Interface } from 'node:readline'
import { runSql, type Address, type TextRow } from './administrator.js'
import { findBinDir, libraryEnvironment, prepareBinaries, type Binaries, type BinaryChoice } from './binaries.js'
import { watch } from './watchdog.js'

export interface PostgresOptions extends BinaryChoice {
  /** Address to listen on over TCP. Default: none, only a Unix socket in a private directory (Windows: 127.0.0.1). */
  host?: string
  /** TCP port. Default 0: any free one. */
  port?: number
  /** PEM texts. With them PostgreSQL offers TLS itself. Default: no TLS. */
  ssl?: { certificate: string; key: string }
  /** How TCP clients log in. Default `scram-sha-256` with a `password`, `trust` without. The Unix socket always trusts. */
  auth?: 'trust' | 'password' | 'md5' | 'scram-sha-256'
  /** Name of the superuser. Default `postgres`. */
  superuser?: string
  /** The superuser's password. Default: none. */
  password?: string
  /** Further lines of postgresql.conf. Default: none. */
  settings?: Record<string, string | number | boolean>
  /** Folder that keeps the data when the server has stopped; made if it is not there. Default: a private one, removed on `stop()`. */
  dataDir?: string
  /** Every line that the server logs. */
  onLog?: (line: string) => void
}

export interface Postgres {
  /** What the server calls itself, such as `18.4`. */
  readonly version: string
  /** TCP address, when it listens on one. */
  readonly host: string | undefined
  /** TCP port; without TCP, the number in the Unix socket's name. */
  readonly port: number
  /** Directory of the Unix socket, for libpq-style `host`. Undefined on Windows. */
  readonly socketDir: string | undefined
  readonly dataDir: string
  /** Whether the data directory was made by this start. */
  readonly isNew: boolean
  /** Private directory, removed on `stop()` or when this process is gone. `dataDir` is in it, unless it is to be kept. */
  readonly directory: string
  readonly superuser: string
  /** Where the superuser logs in without a password. */
  readonly address: Address
  /** Resolves when the server has ended, asked to or not. */
  readonly ended: Promise<void>
  /** Runs SQL as the superuser without a password; rows of the last statement, values as text. */
  query(sql: string, database?: string): Promise<TextRow[]>
  /** Ends the server at once and removes its files. Further calls wait for the first. */
  stop(): Promise<void>
}

/** Owner of the server's processes and files: nothing for this process' own user. */
interface Owner {
  uid?: number
  gid?: number
}

const START_TIMEOUT_MILLIS = 60_000
const LOG_LINES = 20

/** Data that lives as long as the process needs no durability. Data that is kept survives a crash, less its last moments. */
const throwAwaySettings = { fsync: false, full_page_writes: false }

const usualSettings = {
  synchronous_commit: false,
  max_connections: 200,
  logging_collector: false,
  log_destination: 'stderr',
  timezone: 'UTC',
  log_timezone: 'UTC',
}

/** initdb takes about half a second, the start some 50 ms. Rejects with the server's last log lines when it does not start. */
export async function startPostgres(options: PostgresOptions = {}): Promise<Postgres> {
  const binDir = findBinDir(options)
  const owner: Owner = process.getuid?.() === 0 ? unprivileged() : {}
  const directory = privateDirectory(owner)
  const dataDir = options.dataDir === undefined ? join(directory, 'data') : resolve(options.dataDir)
  const watchdog = watch(directory, owner, dataDir)
  const remove = (): void => {
    watchdog.dismiss()
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
  }
  try {
    const copy = owner.uid !== undefined && !reachable(binDir)
    const binaries = prepareBinaries(binDir, directory, copy)
    // The watchdog runs as this owner, and must be able to remove every directory.
    if (copy) giveAll(dirname(dirname(binaries.postgres)), owner)
    if (existsSync(join(directory, 'lib'))) give(join(directory, 'lib'), owner)
    const superuser = options.superuser ?? 'postgres'
    if (options.dataDir !== undefined) prepareKept(dataDir, owner)
    const isNew = !existsSync(join(dataDir, 'PG_VERSION'))
    if (isNew) await initialise(binaries, directory, dataDir, owner, superuser, options.password, watchdog.guard)
    const settings = configure(directory, dataDir, owner, options, isNew)
    const start: Start = { binaries, directory, dataDir, owner, settings, guard: watchdog.guard, onLog: options.onLog }
    const server = await listen(start, options.port ?? 0)
    const ended = once(server.child, 'exit').then(() => watchdog.guard(undefined))
    let stopped: Promise<void> | undefined
    return {
      ...server,
      host: settings.host,
      socketDir: settings.socketDir,
      dataDir,
      isNew,
      directory,
      superuser,
      ended,
      query: (sql, database = 'postgres') => runSql(server.address, superuser, database, sql),
      stop: () => (stopped ??= end(server.child, ended, options.dataDir !== undefined).finally(remove)),
    }
  } catch (error) {
    remove()
    throw error
  }
}

/** PostgreSQL refuses to run as root, and wants a user that is listed: "nobody", else any other. */
function unprivileged(): Owner {
  const lines = existsSync('/etc/passwd') ? readFileSync('/etc/passwd', 'utf8').split('\n') : []
  const users = lines.flatMap((line) => {
    const [, name, uid, gid] = /^([^:#]+):[^:]*:([1-9]\d*):(\d+):/.exec(line) ?? []
    return name === undefined ? [] : [{ name, uid: Number(uid), gid: Number(gid) }]
  })
  const user = users.find(({ name }) => name === 'nobody') ?? users[0]
  if (!user) throw new Error('PostgreSQL refuses to run as root, and this machine has no other user: run the emulator as one')
  return { uid: user.uid, gid: user.gid }
}

function privateDirectory(owner: Owner): string {
  const base = [tmpdir(), '/tmp'].find((candidate) => owner.uid === undefined || reachable(candidate)) ?? tmpdir()
  const directory = mkdtempSync(join(realpathSync(base), 'lakebase-emulator-'))
  give(directory, owner)
  return directory
}

function give(path: string, owner: Owner): void {
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(path, owner.uid, owner.gid)
}

function giveAll(directory: string, owner: Owner): void {
  give(directory, owner)
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) giveAll(path, owner)
    else if (entry.isFile()) give(path, owner)
  }
}

/** Makes the folder for data that is kept, and the owner its owner. */
function prepareKept(dataDir: string, owner: Owner): void {
  const parent = dirname(dataDir)
  mkdirSync(parent, { recursive: true })
  if (owner.uid !== undefined && !reachable(parent)) {
    throw new Error(`PostgreSQL cannot keep its data in ${dataDir}: as root it runs as another user, who may not enter ${parent}. Choose another folder, or run as a user who is not root`)
  }
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  giveAll(dataDir, owner)
}

/** Whether a user who is neither owner nor in the group may enter the directory and all above it. */
function reachable(path: string): boolean {
  for (let directory = realpathSync(path); ; directory = dirname(directory)) {
    if ((statSync(directory).mode & 0o001) === 0) return false
    if (directory === dirname(directory)) return true
  }
}

async function initialise(
  binaries: Binaries,
  directory: string,
  dataDir: string,
  owner: Owner,
  superuser: string,
  password: string | undefined,
  guard: (pid: number) => void,
): Promise<void> {
  const flags = ['--username', superuser, '--auth', 'trust', '--encoding', 'UTF8', '--locale', 'C', '--no-sync']
  const passwordFile = join(directory, 'password')
  if (password !== undefined) {
    // Arguments are visible to every user of the machine, a file of mode 0600 is not.
    writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
    give(passwordFile, owner)
    flags.push('--pwfile', passwordFile)
  }
  const child = run(binaries.initdb, ['--pgdata', dataDir, ...flags], binaries, owner, directory)
  if (child.pid !== undefined) guard(child.pid)
  const log = follow(child.stderr)
  const status = await exit(child, binaries.initdb)
  rmSync(passwordFile, { force: true })
  if (status !== 0) throw new Error(`initdb failed:\n${log.lines.join('\n')}`)
}

interface Settings {
  host: string | undefined
  socketDir: string | undefined
}

/** Settings of this start, which postgresql.conf includes: those of the last one do not stay. */
const SETTINGS_FILE = 'emulator.conf'

/** Writes the settings and pg_hba.conf. */
function configure(directory: string, data: string, owner: Owner, options: PostgresOptions, isNew: boolean): Settings {
  const windows = process.platform === 'win32'
  const host = options.host ?? (windows ? '127.0.0.1' : undefined)
  const socketDir = windows ? undefined : join(directory, 'socket')
  const auth = options.auth ?? (options.password === undefined ? 'trust' : 'scram-sha-256')
  const settings: Record<string, string | number | boolean> = {
    ...(options.dataDir === undefined && throwAwaySettings),
    ...usualSettings,
    listen_addresses: host ?? '',
    unix_socket_directories: socketDir ?? '',
    // Decides how CREATE ROLE … PASSWORD stores it; a stored SCRAM secret cannot serve an md5 login.
    password_encryption: auth === 'md5' ? 'md5' : 'scram-sha-256',
  }
  if (socketDir !== undefined) {
    mkdirSync(socketDir, { mode: 0o700 })
    give(socketDir, owner)
  }
  if (options.ssl) {
    for (const [name, text] of [['server.crt', options.ssl.certificate], ['server.key', options.ssl.key]] as const) {
      writeFileSync(join(data, name), text, { mode: 0o600 })
      give(join(data, name), owner)
    }
    settings['ssl'] = true
  }
  Object.assign(settings, options.settings)
  const lines = Object.entries(settings).map(([name, value]) => `${name} = '${String(value).replaceAll("'", "''")}'\n`)
  writeFileSync(join(data, SETTINGS_FILE), lines.join(''))
  give(join(data, SETTINGS_FILE), owner)
  if (isNew) appendFileSync(join(data, 'postgresql.conf'), `include = '${SETTINGS_FILE}'\n`)
  writeFileSync(
    join(data, 'pg_hba.conf'),
    `local all all trust\nlocal replication all trust\nhost all all all ${auth}\nhost replication all all ${auth}\n`,
  )
  return { host, socketDir }
}

type Program = ChildProcessByStdio<null, null, Readable>

interface Server {
  child: ChildProcess
  version: string
  port: number
  address: Address
}

/** What a start needs to know. */
interface Start {
  binaries: Binaries
  directory: string
  dataDir: string
  owner: Owner
  settings: Settings
  guard: (pid: number) => void
  onLog: PostgresOptions['onLog']
}

/** Starts the server; on a port of our choice that somebody else took meanwhile, again on another. */
async function listen({ binaries, directory, dataDir, owner, settings: { host, socketDir }, guard, onLog }: Start, wanted: number): Promise<Server> {
  for (let attempt = 1; ; attempt++) {
    const port = wanted !== 0 ? wanted : host === undefined ? 5432 : await freePort(host)
    const flags = ['-D', dataDir, '-p', String(port)]
    const child = run(binaries.postgres, flags, binaries, owner, directory)
    if (child.pid !== undefined) guard(child.pid)
    const log = follow(child.stderr)
    if (onLog) log.reader.on('line', onLog)
    try {
      const version = await ready(child, binaries.postgres, log)
      const address = socketDir === undefined ? { host: host ?? '127.0.0.1', port } : { path: join(socketDir, `.s.PGSQL.${port}`) }
      return { child, version, port, address }
    } catch (error) {
      const taken = log.lines.some((line) => line.includes('could not bind') || line.includes('could not create any TCP/IP sockets'))
      if (wanted !== 0 || !taken || attempt === 5) throw error
    }
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

function run(program: string, flags: string[], binaries: Binaries, owner: Owner, directory: string): Program {
  return spawn(program, flags, {
    ...owner,
    cwd: directory,
    // Its own session: Ctrl-C reaches this process, which then ends PostgreSQL in order.
    detached: process.platform !== 'win32',
    env: libraryEnvironment(binaries.libraryPath),
    stdio: ['ignore', 'ignore', 'pipe'],
    windowsHide: true,
  })
}

interface Log {
  /** The last lines, kept up to date. */
  lines: string[]
  /** Emits `line`. */
  reader: Interface
}

function follow(stderr: Readable): Log {
  const lines: string[] = []
  const reader = createInterface({ input: stderr })
  reader.on('line', (line) => {
    if (lines.push(line) > LOG_LINES) lines.shift()
  })
  return { lines, reader }
}

async function exit(child: ChildProcess, program: string): Promise<number | null> {
  const [status] = await once(child, 'close').catch((cause: unknown) => {
    throw new Error(`cannot run ${program}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  })
  return status as number | null
}

/** Waits until the server takes connections; its version. */
async function ready(child: ChildProcess, program: string, log: Log): Promise<string> {
  let version = ''
  let timer: NodeJS.Timeout | undefined
  try {
    await Promise.race([
      new Promise<void>((resolve) => {
        log.reader.on('line', (line) => {
          version = /starting PostgreSQL (\S+)/.exec(line)?.[1] ?? version
          if (line.includes('database system is ready to accept connections')) resolve()
        })
      }),
      exit(child, program).then(() => {
        throw new Error(`PostgreSQL ended at start:\n${log.lines.join('\n')}`)
      }),
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
          child.kill('SIGKILL')
          reject(new Error(`PostgreSQL was not ready after ${START_TIMEOUT_MILLIS / 1000} s:\n${log.lines.join('\n')}`))
        }, START_TIMEOUT_MILLIS)
      }),
    ])
  } finally {
    clearTimeout(timer)
  }
  return version
}

/**
 * SIGQUIT ends sessions and server without writing anything more: the data is about to be removed. SIGINT ends sessions and writes what is to
 * be kept; a server that does not manage that in time finds it in its log at the next start.
 */
async function end(child: ChildProcess, ended: Promise<void>, keep: boolean): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill(keep ? 'SIGINT' : 'SIGQUIT')
  const timers = [setTimeout(() => child.kill('SIGKILL'), keep ? 30_000 : 5_000)]
  if (keep) timers.push(setTimeout(() => child.kill('SIGQUIT'), 20_000))
  await ended
  for (const timer of timers) clearTimeout(timer)
}
