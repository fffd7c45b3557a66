/** Folders of migrations: plain SQL files, and Drizzle's two formats. */

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exitCodes, Failure } from '../failure.js'

/** `drizzle-journal`: drizzle-orm up to 0.45; `drizzle-folders`: from 1.0 on. */
export type Format = 'sql' | 'drizzle-journal' | 'drizzle-folders'

export interface Migration {
  /** What the ledger and people call it: a file's name, Drizzle's tag or folder. */
  name: string
  file: string
  text: string
  /** SHA-256 of the text, in hexadecimal, as Drizzle keeps it. */
  hash: string
  /** Drizzle's time of the migration, in milliseconds since 1970. */
  when: number
}

export interface MigrationFolder {
  path: string
  format: Format
  /** In the order in which they are applied. */
  migrations: Migration[]
}

/** Where migrations are where nobody says. */
const USUAL = ['drizzle', 'migrations']

/** Throws a `Failure` for a folder that is not there, is empty of migrations or lacks a file that its journal names. */
export function readFolder(given: string | undefined): MigrationFolder {
  const path = given ?? USUAL.find((folder) => existsSync(folder))
  if (path === undefined || !existsSync(path)) {
    const message = given === undefined ? `there is no folder ${USUAL.join(' or ')} here` : `there is no folder ${given}`
    throw new Failure(message, { code: 'NO_FOLDER', exitCode: exitCodes.usage, hint: 'name the folder of migrations: lakebase migrate <folder>' })
  }
  if (existsSync(join(path, 'meta', '_journal.json'))) return { path, format: 'drizzle-journal', migrations: fromJournal(path) }
  const entries = readdirSync(path).sort()
  const folders = entries.filter((entry) => existsSync(join(path, entry, 'migration.sql')))
  if (folders.length > 0) return { path, format: 'drizzle-folders', migrations: folders.map((name) => read(path, name, join(name, 'migration.sql'), timeOf(name))) }
  const files = entries.filter((entry) => entry.endsWith('.sql'))
  if (files.length > 0) return { path, format: 'sql', migrations: files.map((name) => read(path, name, name, 0)) }
  throw new Failure(`${path} has no migrations: no .sql files, and none of Drizzle's`, { code: 'NO_MIGRATIONS', exitCode: exitCodes.usage })
}

function fromJournal(path: string): Migration[] {
  const file = join(path, 'meta', '_journal.json')
  let entries: { tag: string; when: number }[]
  try {
    entries = (JSON.parse(readFileSync(file, 'utf8')) as { entries: { tag: string; when: number }[] }).entries
    return entries.map(({ tag, when }) => read(path, tag, `${tag}.sql`, when))
  } catch (error) {
    if (error instanceof Failure) throw error
    throw new Failure(`${file} is no journal of Drizzle's`, { code: 'BAD_JOURNAL', exitCode: exitCodes.usage, cause: error })
  }
}

function read(path: string, name: string, relative: string, when: number): Migration {
  const file = join(path, relative)
  try {
    const text = readFileSync(file, 'utf8')
    return { name, file, text, hash: createHash('sha256').update(text).digest('hex'), when }
  } catch (error) {
    throw new Failure(`${file} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}`, { code: 'FILE_UNREADABLE', cause: error })
  }
}

/** Drizzle's folders begin with their time in UTC: 20260102030405_name. */
function timeOf(name: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(name) ?? []
  return year === undefined ? 0 : Date.UTC(+year, +month! - 1, +day!, +hour!, +minute!, +second!)
}
