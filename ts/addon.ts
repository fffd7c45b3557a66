/** Loads the Rust addon that fits this process, or throws what addon-failure.ts says. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Failures } from './addon-failure.js'

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
  // Loaded only now: nobody else needs it.
  const { notLoaded } = require('./addon-failure.js') as typeof import('./addon-failure.js')
  throw notLoaded(failures)
}
