/** The error of an addon that could not be loaded: what was looked for, why it is not there as far as files can tell, and the one command that helps. */

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/** Why each package that was tried gave no addon. */
export type Failures = Map<string, unknown>

type Manager = 'npm' | 'pnpm' | 'yarn' | 'bun'

const lockfiles: Record<string, Manager> = {
  'package-lock.json': 'npm',
  'npm-shrinkwrap.json': 'npm',
  'pnpm-lock.yaml': 'pnpm',
  'yarn.lock': 'yarn',
  'bun.lock': 'bun',
  'bun.lockb': 'bun',
}

/** `add` puts a package into the lockfile; `again` installs what the lockfile names, for this platform. */
const commands: Record<Manager, { add: string; again: string }> = {
  npm: { add: 'npm install --save-optional', again: 'npm ci --include=optional' },
  pnpm: { add: 'pnpm add --save-optional', again: 'pnpm install --force' },
  yarn: { add: 'yarn add --optional', again: 'yarn install' },
  bun: { add: 'bun add --optional', again: 'bun install --force' },
}

export function notLoaded(failures: Failures): Error {
  const system = describeSystem()
  if (failures.size === 0) {
    return new Error(
      `lakebase-native does not support ${system}: it runs on Linux (x64, arm64; glibc or musl), macOS (arm64, x64) and Windows (x64).`,
    )
  }
  const tried = [...failures].map(
    ([name, failure]) => `\n  - ${name}: ${isMissing(failure) ? 'not installed' : firstLine(failure)}`,
  )
  const installed = [...failures].find(([, failure]) => !isMissing(failure))
  const advice = installed
    ? `${installed[0]} is installed but cannot be loaded by this system: see the reason above.`
    : adviceFor([...failures.keys()][isMusl() ? failures.size - 1 : 0]!)
  return new Error(`lakebase-native cannot load its addon on ${system}. Tried:${tried.join('')}\n${advice}`, {
    cause: installed?.[1] ?? [...failures.values()][0],
  })
}

/** What to do about a platform package that is not installed. */
function adviceFor(name: string): string {
  if (typeof __dirname !== 'undefined' && existsSync(join(__dirname, '..', 'Cargo.toml'))) return 'This is a checkout of its repository: npm run build'
  const specifier = `${name}@${version()}`
  const others = platformPackagesBeside().filter((other) => other !== name)
  const lock = findLockfile()
  const reason = others.length > 0 ? `Instead, ${others.join(', ')} is there: the packages were installed on another platform, or for one.\n` : ''
  if (!lock) {
    return `${reason}${name} is an optional dependency of lakebase-native. It is missing where optional dependencies are left out (--omit=optional, --no-optional), where packages of another platform were copied, and where a bundler copied only JavaScript.\nInstall it for the platform where the code runs: npm install --no-save ${specifier}`
  }
  const { file, manager, text } = lock
  const { add, again } = commands[manager]
  if (!text.includes(name)) {
    const defect = manager === 'npm' ? ', or by an npm that leaves the optional dependencies of other platforms out of it (https://github.com/npm/cli/issues/4828)' : ''
    return `${reason}${file} does not name ${name}: it was made on another platform${defect}.\nAdd it: ${add} ${specifier}`
  }
  const left = reason || `${file} names ${name}: it was left out on installing, as optional dependencies are with ${leftOutBy(file)}.\n`
  return `${left}Install it: ${again}`
}

/** The nearest lockfile above this package, or else above the working directory. */
function findLockfile(): { file: string; manager: Manager; text: string } | undefined {
  const starts = [...(typeof __dirname === 'undefined' ? [] : [__dirname]), process.cwd()]
  for (const start of starts) {
    for (let folder = start, above = ''; folder !== above; above = folder, folder = dirname(folder)) {
      for (const [name, manager] of Object.entries(lockfiles)) {
        const file = join(folder, name)
        if (existsSync(file)) return { file, manager, text: readFileSync(file, 'latin1') }
      }
    }
  }
  return undefined
}

/** The setting that leaves optional dependencies out, if it can be found. */
function leftOutBy(lockfile: string): string {
  const settings = join(dirname(lockfile), '.npmrc')
  const line = existsSync(settings) ? /^(?:omit(?:\[\])?\s*=.*optional.*|optional\s*=\s*false)$/m.exec(readFileSync(settings, 'utf8'))?.[0] : undefined
  return line ? `"${line}" in ${settings}` : '--omit=optional or --no-optional'
}

/** Our platform packages that were installed beside this package. */
function platformPackagesBeside(): string[] {
  if (typeof __dirname === 'undefined') return []
  const packages = dirname(dirname(__dirname))
  if (basename(packages) !== 'node_modules') return []
  return readdirSync(packages).filter((name) => /^lakebase-native-(linux|darwin|win32)-/.test(name) && existsSync(join(packages, name)))
}

const isMissing = (failure: unknown): boolean => (failure as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'

const firstLine = (failure: unknown): string => String((failure as Error).message ?? failure).split('\n')[0]!

function describeSystem(): string {
  const { platform, arch, version: node } = process
  if (platform !== 'linux') return `${platform}-${arch} (Node.js ${node})`
  const glibc = glibcVersion()
  return `${platform}-${arch} with ${glibc ? `glibc ${glibc}` : 'musl'} (Node.js ${node})`
}

const isMusl = (): boolean => process.platform === 'linux' && !glibcVersion()

/** Of the running process; none with musl. The report costs milliseconds and is only made for an error. */
function glibcVersion(): string | undefined {
  const report = process.report?.getReport() as { header?: { glibcVersionRuntime?: string } } | undefined
  return report?.header?.glibcVersionRuntime
}

function version(): string {
  return (require('../package.json') as { version: string }).version
}
