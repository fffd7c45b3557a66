/** `lakebase dev`: a Lakebase on this machine, with its data kept between runs and a page that shows what goes on. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from 'commander'
import type { SlowQuery } from '../../dev/slow-queries.js'
import type { Emulator, EmulatorOptions } from '../../emulator/index.js'
import { rewrite } from '../atomic-write.js'
import { exitCodes, Failure } from '../failure.js'
import { interruption } from '../interruption.js'
import { note, paint, print, table, wantsJson } from '../output.js'
import { subcommand } from '../subcommand.js'
import { readMillis, readNumber } from '../quantities.js'
import { mergeVariables } from '../variables-file.js'

const DIRECTORY = join('.lakebase', 'dev')
/** Where the status page is if nobody else has the port. */
const STATUS_PORT = 5480

interface Flags {
  directory: string
  fresh?: true
  branch?: string[]
  port?: string
  apiPort?: string
  /** False with `--no-status`. */
  status: boolean
  statusPort?: string
  tokenTtl?: string
  latency?: string
  wakeDelay?: string
  fail?: string[]
  slow: string
  seed?: string[]
  migrations?: string
  write?: string
}

const several = (value: string, values: string[] | undefined): string[] => [...(values ?? []), value]

export function dev(program: Command): void {
  const names = (require('../../dev/switches.js') as typeof import('../../dev/switches.js')).switches.map(({ name }) => name)
  subcommand(program, 'dev', 'Run a Lakebase on this machine: PostgreSQL behind TLS and tokens, the workspace API, and a status page.', [
    ['lakebase dev', 'run it until Ctrl-C; data stays in .lakebase/dev'],
    ['lakebase dev -- npm run dev', 'run an app with its variables, and end with it'],
    ['lakebase dev --write .env.local', 'set the variables in .env.local'],
    ['lakebase dev --fresh --seed seed.sql', 'begin with an empty database and this SQL'],
    ['lakebase dev --migrations drizzle', "apply drizzle-kit's migrations first"],
    ['lakebase dev --branch feature', 'work on a copy of production'],
    ['lakebase dev --token-ttl 30s --latency 40ms', 'tokens that end soon, over a slow network'],
  ])
    .argument('[command...]', 'a command to run, with its arguments; after --')
    .option('--directory <folder>', 'folder that keeps data, credentials and ports', DIRECTORY)
    .option('--fresh', 'remove the data of the branches first')
    .option('--branch <name>', 'a branch to run; may be repeated. A new one is a copy of production (default: production)', several)
    .option('--port <port>', 'port of the first branch (default: that of the last run)')
    .option('--api-port <port>', 'port of the workspace API (default: that of the last run)')
    .option('--status-port <port>', `port of the status page (default: ${STATUS_PORT}, or any free one)`)
    .option('--no-status', 'no status page')
    .option('--token-ttl <duration>', 'life of a database token: 30s, 5m (default: 1h)')
    .option('--latency <duration>', 'round-trip time that the network adds: 20ms')
    .option('--wake-delay <duration>', 'how long a sleeping database takes to wake up: 2s; it sleeps at the start')
    .option('--fail <name>', `a fault that is on from the start; may be repeated: ${names.join(', ')}`, several)
    .option('--slow <duration>', 'how long a query takes to count as slow', '100ms')
    .option('--seed <path>', 'an SQL file, or a folder of them, for databases without data; may be repeated', several)
    .option('--migrations <folder>', 'apply what `lakebase migrate <folder>` would')
    .option('--write <file>', 'set the variables in this file; everything else in it stays')
    .passThroughOptions()
    .action(run)
}

async function run(command: string[], flags: Flags): Promise<void> {
  const { startEmulator } = require('../../emulator/index.js') as typeof import('../../emulator/index.js')
  const { seed, seedFiles } = require('../../dev/seeds.js') as typeof import('../../dev/seeds.js')
  const { startStatus } = require('../../dev/start-status.js') as typeof import('../../dev/start-status.js')
  const { SlowQueryLog, slowQuerySettings } = require('../../dev/slow-queries.js') as typeof import('../../dev/slow-queries.js')
  const { switches } = require('../../dev/switches.js') as typeof import('../../dev/switches.js')

  const slowMillis = readMillis('--slow', flags.slow)
  const latencyMillis = flags.latency === undefined ? 0 : readMillis('--latency', flags.latency)
  const statusPort = flags.statusPort === undefined ? undefined : readNumber('--status-port', flags.statusPort, 0, 65_535)
  const unknown = flags.fail?.find((name) => !switches.some((one) => one.name === name))
  if (unknown !== undefined) {
    throw new Failure(`--fail knows no ${JSON.stringify(unknown)}`, { exitCode: exitCodes.usage, code: 'USAGE', hint: `one of ${switches.map(({ name }) => name).join(', ')}` })
  }
  const seeds = existing('--seed', flags.seed, seedFiles)

  let onSlow: ((query: SlowQuery) => void) | undefined
  const log = new SlowQueryLog((query) => onSlow?.(query))
  const options: EmulatorOptions = {
    ...settings(flags),
    latencyMillis,
    postgres: { settings: slowQuerySettings(slowMillis), onLog: log.line },
  }
  const interrupted = interruption().then(() => 'interrupted' as const)
  const emulator = await started(() => startEmulator(options))
  const crashed = emulator.ended.then(() => 'crashed' as const)
  const closers: (() => unknown)[] = []
  try {
    const work = async (): Promise<'done'> => {
      for (const { name, isNew } of emulator.branches) {
        if (isNew) await seed(emulator, name, seeds, emulator.env['PGUSER']!)
        if (flags.migrations !== undefined) await migrate(flags.migrations, emulator.envFor({ branch: name }))
      }
      const status = await startStatus({ emulator, latencyMillis, port: flags.status ? (statusPort ?? STATUS_PORT) : undefined, isFixed: statusPort !== undefined, fail: flags.fail ?? [] })
      onSlow = status.onSlow
      closers.push(status.close)
      announce(emulator, flags, writeVariables(emulator, flags), status.url)
      if (command.length === 0) return new Promise<never>(() => {})
      process.exitCode = await runCommand(command, environmentOf(emulator.env))
      return 'done'
    }
    const outcome = await Promise.race([work(), crashed, ...(command.length === 0 ? [interrupted] : [])])
    if (outcome === 'crashed') throw new Failure('PostgreSQL has ended, and nobody asked it to', { code: 'POSTGRES_ENDED' })
  } finally {
    for (const close of closers) close()
    await emulator.stop()
  }
}

function settings(flags: Flags): EmulatorOptions {
  const { directory, fresh, branch, port, apiPort, tokenTtl, wakeDelay } = flags
  const ports = {
    ...(port !== undefined && { database: readNumber('--port', port, 0, 65_535) }),
    ...(apiPort !== undefined && { api: readNumber('--api-port', apiPort, 0, 65_535) }),
  }
  return {
    directory,
    ports,
    ...(fresh && { fresh }),
    ...(branch && { branches: branch }),
    ...(tokenTtl !== undefined && { tokenLifetimeMillis: readMillis('--token-ttl', tokenTtl) }),
    ...(wakeDelay !== undefined && { wakeUpDelayMillis: readMillis('--wake-delay', wakeDelay) }),
  }
}

/** What keeps an emulator from starting is mostly the machine's, and said in words already. */
async function started(start: () => Promise<Emulator>): Promise<Emulator> {
  try {
    return await start()
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException
    if (code === 'EADDRINUSE') throw new Failure(message, { code, hint: 'another program listens there: choose another port', exitCode: exitCodes.connection, cause })
    if (message.includes('lock file "postmaster.pid" already exists')) {
      throw new Failure('another `lakebase dev` uses this folder', { code: 'IN_USE', hint: 'end it, or choose another folder with --directory', cause })
    }
    if (message.includes('database files are incompatible with server')) {
      throw new Failure('the data in this folder is of another version of PostgreSQL', { code: 'OTHER_VERSION', hint: '--fresh begins anew, without the data; or choose another --directory', cause })
    }
    throw cause
  }
}

function existing<T>(flag: string, paths: readonly string[] | undefined, read: (paths: readonly string[]) => T): T {
  try {
    return read(paths ?? [])
  } catch (cause) {
    throw new Failure(`${flag}: ${(cause as Error).message}`, { exitCode: exitCodes.usage, code: 'USAGE', cause })
  }
}

async function migrate(folder: string, env: Record<string, string>): Promise<void> {
  if (!existsSync(folder)) throw new Failure(`--migrations: there is no folder ${folder}`, { exitCode: exitCodes.usage, code: 'USAGE' })
  const code = await runCommand([process.execPath, process.argv[1]!, 'migrate', folder, '--no-dotenv'], environmentOf(env), 'ignore')
  if (code !== 0) throw new Failure(`the migrations in ${folder} were not applied: see above`, { code: 'MIGRATIONS' })
}

/** What says who somebody is, or where a database is. */
const ELSEWHERE = /^(?:DATABRICKS_|LAKEBASE_|ARM_|PG[A-Z]+$|DATABASE_URL$|POSTGRES_URL$)/

/** This process's environment, in which nothing leads to another database, or to another identity. */
function environmentOf(env: Record<string, string>): NodeJS.ProcessEnv {
  const rest = Object.entries(process.env).filter(([name]) => !ELSEWHERE.test(name))
  return { ...Object.fromEntries(rest), DATABRICKS_AUTH_TYPE: 'oauth-m2m', ...env }
}

async function runCommand([file, ...args]: string[], env: NodeJS.ProcessEnv, stdout?: 'ignore'): Promise<number> {
  const { runChild } = require('../child.js') as typeof import('../child.js')
  try {
    return await runChild(file!, args, env, stdout)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const notFound = code === 'ENOENT'
    const message = notFound ? `there is no command ${file}` : `${file} cannot be run: ${code ?? String(cause)}`
    throw new Failure(message, { exitCode: notFound ? exitCodes.notFound : exitCodes.notExecutable, cause, ...(code && { code }) })
  }
}

/** The variables of each branch as a file in the folder, and of the first where the user wants them. */
function writeVariables(emulator: Emulator, { directory, write }: Flags): string {
  for (const { name } of emulator.branches) {
    rewrite(variablesFile(directory, name), 0o600, () => mergeVariables('', emulator.envFor({ branch: name })))
  }
  if (write !== undefined) rewrite(write, 0o600, (text) => mergeVariables(text, emulator.env))
  return write ?? variablesFile(directory, emulator.branches[0]!.name)
}

const variablesFile = (directory: string, branch: string): string => join(directory, `${branch}.env`)

/** Secrets are in the file only. */
const SECRET = /SECRET|TOKEN|PASSWORD/

function announce(emulator: Emulator, flags: Flags, file: string, status: string | undefined): void {
  const { branches, database, postgresVersion, env } = emulator
  const named = branches.map(({ name, endpoint, port }) => ({ name, endpoint, port, variables: variablesFile(flags.directory, name) }))
  if (wantsJson()) return print(JSON.stringify({ event: 'ready', postgresVersion, database, branches: named, variables: file, status: status ?? null }))
  const bold = (text: string): string => paint('bold', text, process.stderr)
  note(`${bold('lakebase dev')} runs PostgreSQL ${postgresVersion}; Ctrl-C ends it, its data stays in ${flags.directory}`)
  note()
  const rows = Object.entries(env).map(([name, value]) => [paint('cyan', name, process.stderr), SECRET.test(name) ? paint('dim', `in ${file}`, process.stderr) : value])
  note(table(rows, { indent: '  ' }))
  note()
  const rest = [
    ['variables', bold(file)],
    ...(named.length > 1 ? named.slice(1).map(({ name, port, variables }) => [`branch ${name}`, `port ${port}, ${bold(variables)}`]) : []),
    ...(status === undefined ? [] : [['status page', bold(status)]]),
    ...(flags.fail ?? []).map((name) => ['fault', `${paint('yellow', name, process.stderr)} is on`]),
  ]
  note(table(rest, { indent: '  ' }))
  note()
}
