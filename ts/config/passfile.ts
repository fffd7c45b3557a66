/** The password file: `~/.pgpass`, or what `PGPASSFILE` names. Read as the `pgpass` package reads it for node-postgres. */

// Not from 'node:fs/promises', which Node.js loads when it is used.
import { promises as fs } from 'node:fs'
import { join } from 'node:path'
import { deprecate } from 'node:util'

/** Whose password is looked for. */
export interface Login {
  host: string
  port: number
  user: string
  database: string
}

/** What a line says, in this order. */
const names = ['host', 'port', 'database', 'user', 'password'] as const

type Entry = Record<(typeof names)[number], string>

const DEFAULT_PORT = 5432
/** Mode bits of everybody but the owner. */
const OTHERS = 0o077

/** The password of the first line that fits, if there is such a file and line. */
export async function passwordFromFile(login: Login): Promise<string | undefined> {
  const file = fileName()
  const stats = await fs.stat(file).catch(() => undefined)
  if (!stats || 'PGPASSWORD' in process.env) return undefined
  if (process.platform !== 'win32') {
    if (!stats.isFile()) return warn(`password file "${file}" is not a plain file`)
    if (stats.mode & OTHERS) {
      return warn(`password file "${file}" has group or world access; permissions should be u=rw (0600) or less`)
    }
  }
  let text: string
  try {
    text = await fs.readFile(file, 'utf8')
  } catch (error) {
    return warn(`error on reading file: ${String(error)}`)
  }
  const entry = text.split(/\r?\n/).map(parseLine).find((found) => found && fits(found, login))
  if (entry) warnOfFile()
  return entry?.password
}

function fileName(): string {
  const { PGPASSFILE, APPDATA, HOME } = process.env
  if (PGPASSFILE) return PGPASSFILE
  return process.platform === 'win32' ? join(APPDATA || './', 'postgresql', 'pgpass.conf') : join(HOME || './', '.pgpass')
}

function parseLine(line: string): Entry | undefined {
  if (line.length < 11 || /^\s+#/.test(line)) return undefined
  const parts: string[] = []
  let start = 0
  // Behind the fourth colon everything is password; a colon cannot be the first character.
  for (let i = 1; i < line.length && parts.length < names.length - 1; i++) {
    if (line[i] === ':' && line[i - 1] !== '\\') {
      parts.push(line.slice(start, i))
      start = i + 1
    }
  }
  parts.push(line.slice(start))
  if (parts.length < names.length || parts.some((part) => part === '')) return undefined
  const plain = 'PGPASS_NO_DEESCAPE' in process.env ? parts : parts.map((part) => part.replace(/\\([:\\])/g, '$1'))
  const [host, port, database, user, password] = plain as [string, string, string, string, string]
  if (port !== '*' && !(Number.isSafeInteger(Number(port)) && Number(port) > 0)) return undefined
  return { host, port, database, user, password }
}

function fits(entry: Entry, login: Login): boolean {
  if (entry.port !== '*' && Number(entry.port) !== Number(login.port || DEFAULT_PORT)) return false
  return (['host', 'database', 'user'] as const).every((name) => entry[name] === '*' || entry[name] === login[name])
}

function warn(what: string): undefined {
  process.stderr.write(`WARNING: ${what}\n`)
}

const warnOfFile = deprecate(
  () => {},
  'pgpass support is deprecated and will be removed in pg@9.0. You can provide an async function as the password property to the Client/Pool constructor that returns a password instead. Within this function you can call the pgpass module in your own code.',
)
