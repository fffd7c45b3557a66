/** `lakebase proxy`: a port on this machine that local tools log in to without a token. */

import { readFileSync } from 'node:fs'
import type { Command } from 'commander'
import type { ProxyEvent, RunningProxy } from '../../proxy.js'
import { addTokenFlags, connectionOptions, type ConnectionFlags } from '../connection-flags.js'
import { exitCodes, Failure } from '../failure.js'
import { interruption } from '../interruption.js'
import { note, paint, print, wantsJson } from '../output.js'
import { subcommand } from '../subcommand.js'
import { readNumber, showBytes, showMillis, showText } from '../quantities.js'

/** PgBouncer's port: PostgreSQL's own may be in use. */
const DEFAULT_PORT = '6432'

const PASSWORD_VARIABLE = 'LAKEBASE_PROXY_PASSWORD'

interface Flags extends Omit<ConnectionFlags, 'port'> {
  port: string
  address: string
  passwordFile?: string
}

export function proxy(program: Command): void {
  const command = subcommand(program, 'proxy', 'Listen on this machine for psql, DBeaver, drizzle-kit and others, and log them in to Lakebase.', [
    ['lakebase proxy', `listen on 127.0.0.1:${DEFAULT_PORT} until Ctrl-C`],
    ['lakebase proxy --port 0', 'listen on any free port, and print it'],
    ['lakebase proxy --password-file ~/.proxy-password', 'let in only who knows this password'],
    [`psql 'postgresql://me@localhost:${DEFAULT_PORT}/databricks_postgres'`, 'use it'],
  ])
  addTokenFlags(command)
    .option('--host <name>', 'host of the database (PGHOST; looked up)')
    .option('--database <name>', 'database to name in the printed URL (PGDATABASE; looked up)')
    .option('--user <name>', 'the PostgreSQL role (PGUSER; looked up)')
    .option('--port <port>', 'port to listen on; 0 is any free one', DEFAULT_PORT)
    .option('--address <ip>', 'loopback address to listen on: 127.0.0.1 or ::1', '127.0.0.1')
    .option('--password-file <file>', `file with the password that clients need (${PASSWORD_VARIABLE}; default: none)`)
    .action(run)
}

async function run({ port: listen, ...flags }: Flags): Promise<void> {
  const { startProxy } = require('../../proxy.js') as typeof import('../../proxy.js')
  const port = readNumber('--port', listen, 0, 65_535)
  const password = localPassword(flags.passwordFile)
  const interrupted = interruption()
  const running = await startProxy(connectionOptions(flags), {
    address: flags.address,
    port,
    ...(password !== undefined && { password }),
    onEvent: (event) => (wantsJson() ? printEvent(event) : note(`${time()} ${describe(event)}`)),
  })
  announce(running, password !== undefined)
  await interrupted
  await running.close()
}

function localPassword(file: string | undefined): string | undefined {
  if (file === undefined) return process.env[PASSWORD_VARIABLE] || undefined
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    if (text !== '') return text
  } catch (cause) {
    throw new Failure(`the password file ${file} cannot be read: ${(cause as Error).message}`, { exitCode: exitCodes.configuration, code: 'PASSWORD_FILE', cause })
  }
  throw new Failure(`the password file ${file} is empty`, { exitCode: exitCodes.configuration, code: 'PASSWORD_FILE' })
}

function announce({ address, port, database, user, server }: RunningProxy, hasPassword: boolean): void {
  const host = address.includes(':') ? `[${address}]` : address
  // `disable`: a PGSSLMODE for the database itself does not fit this machine's own socket.
  const url = `postgresql://${encodeURIComponent(user)}@${host}:${port}/${encodeURIComponent(database)}?sslmode=disable`
  if (wantsJson()) return print(JSON.stringify({ event: 'listening', address, port, database, user, server, url, password: hasPassword }))
  print(url)
  note(`${time()} listening for ${paint('bold', server, process.stderr)}; Ctrl-C ends it`)
  if (!hasPassword) note(`${time()} ${paint('yellow', 'everybody on this machine can use it', process.stderr)}: ${PASSWORD_VARIABLE} or --password-file sets a password`)
}

function printEvent(event: ProxyEvent): void {
  const error = 'error' in event && event.error ? { message: event.error.message, code: (event.error as { code?: string }).code } : undefined
  print(JSON.stringify({ ...event, ...('error' in event && { error: error ?? null }) }))
}

const time = (): string => paint('dim', new Date().toTimeString().slice(0, 8), process.stderr)

function describe(event: ProxyEvent): string {
  const good = (text: string): string => paint('green', text, process.stderr)
  const bad = (text: string): string => paint('red', text, process.stderr)
  switch (event.event) {
    case 'opened':
      return `#${event.client} ${good('open')}   ${who(event)}, logged in within ${showMillis(event.loginMillis)}, process ${event.processId}`
    case 'refused':
      return `#${event.client} ${bad('refused')} ${who(event)}: ${showLine(event.error.message)}`
    case 'closed':
      return `#${event.client} closed after ${showMillis(event.lastedMillis)}, ${showBytes(event.sent)} sent, ${showBytes(event.received)} received`
    case 'canceled':
      if (event.client === null) return `${bad('cancel')} of an unknown session, ignored`
      return event.error ? `#${event.client} ${bad('cancel')} failed: ${showLine(event.error.message)}` : `#${event.client} cancel passed on`
    case 'token':
      return `token by ${event.method}, good for logins until ${event.expiresAt.toTimeString().slice(0, 8)}`
  }
}

function who({ peer, user, database, applicationName }: { peer: string; user: string; database: string; applicationName: string | null }): string {
  const program = applicationName ? `${showText(applicationName)} ` : ''
  return `${program}${peer} ${showText(user)} → ${showText(database)}`
}

/** A server's words, in one line. */
const showLine = (text: string): string => text.split('\n').map((line) => line.trim()).join(' ')
