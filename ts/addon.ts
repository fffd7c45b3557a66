/** Loads the Rust addon that fits this process, or says what is missing and how to get it. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Why each package that was tried gave no addon. */
type Failures = Map<string, unknown>

/**
 * The targets whose addon may run in this process, in napi-rs' short form. On Linux both C libraries are tried: only the addon for the
 * one that runs Node.js loads, and reading system files to find out which it is would make file tracers deploy them (vercel/nft 303).
 */
function targets(): string[] {
  const { platform, arch } = process
  if (platform === 'linux') return [`linux-${arch}-gnu`, `linux-${arch}-musl`]
  return [platform === 'win32' ? `win32-${arch}-msvc` : `${platform}-${arch}`]
}

/**
 * The addon from `target`'s package. Every package is named in full because bundlers and file tracers (Turbopack, webpack, esbuild,
 * `@vercel/nft`) only follow literal names, and inside a `try` because only there they accept one that is not installed.
 */
function fromPackage(target: string, failures: Failures): unknown {
  try {
    switch (target) {
      case 'linux-x64-gnu':
        return require('lakebase-native-linux-x64-gnu')
      case 'linux-x64-musl':
        return require('lakebase-native-linux-x64-musl')
      case 'linux-arm64-gnu':
        return require('lakebase-native-linux-arm64-gnu')
      case 'linux-arm64-musl':
        return require('lakebase-native-linux-arm64-musl')
      case 'darwin-arm64':
        return require('lakebase-native-darwin-arm64')
      case 'darwin-x64':
        return require('lakebase-native-darwin-x64')
      case 'win32-x64-msvc':
        return require('lakebase-native-win32-x64-msvc')
      default:
        return undefined
    }
  } catch (failure) {
    failures.set(`lakebase-native-${target}`, failure)
    return undefined
  }
}

/** The addon that a checkout of the repository has built, if this is one. Opened without `require`, which bundlers would try to follow. */
function fromCheckout(target: string): unknown {
  // A bundle that is an ES module is no checkout.
  if (typeof __dirname === 'undefined') return undefined
  const file = join(__dirname, '..', 'npm', 'local', `lakebase-native.${target}.node`)
  if (!existsSync(file)) return undefined
  const opened = { exports: {} }
  process.dlopen(opened, file)
  return opened.exports
}

/** Loads the addon. Throws an error that names the platform, the packages tried, why each failed and what to do. */
export function loadAddon(): unknown {
  const failures: Failures = new Map()
  for (const target of targets()) {
    const addon = fromCheckout(target) ?? fromPackage(target, failures)
    // In a bundle it is the default export of an ES module: see bundledEntry in scripts/pack.mjs.
    if (addon) return (addon as { default?: unknown }).default ?? addon
  }
  throw notLoaded(failures)
}

const isMissing = (failure: unknown): boolean => (failure as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND'

function notLoaded(failures: Failures): Error {
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
  const name = installed?.[0] ?? [...failures.keys()][isMusl() ? failures.size - 1 : 0]
  const advice = installed
    ? `${name} is installed but cannot be loaded by this system: see the reason above.`
    : 'It is an optional dependency of lakebase-native. Package managers leave it out with --omit=optional (--no-optional), with a lockfile or ' +
      'a node_modules folder that was made on another platform, and bundlers when they copy only JavaScript.\n' +
      `Install it for the platform where the code runs: npm install --no-save ${name}@${version()}`
  return new Error(`lakebase-native cannot load its addon on ${system}. Tried:${tried.join('')}\n${advice}`, {
    cause: installed?.[1] ?? [...failures.values()][0],
  })
}

const firstLine = (failure: unknown): string => String((failure as Error).message ?? failure).split('\n')[0]!

function describeSystem(): string {
  const { platform, arch, version } = process
  if (platform !== 'linux') return `${platform}-${arch} (Node.js ${version})`
  const glibc = glibcVersion()
  return `${platform}-${arch} with ${glibc ? `glibc ${glibc}` : 'musl'} (Node.js ${version})`
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
