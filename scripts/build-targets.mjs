/**
 * Builds the addon for the package of a target into npm/<target>, from where `npm run pack` takes it.
 *   npm run build:targets                      on Linux: every target that it can link, and `cargo check` for Windows; elsewhere: its own
 *   npm run build:targets -- linux-arm64-gnu   only these
 *
 * On Linux zig is the linker and brings the C library of every target: glibc 2.17 (2012) is the oldest that the Linux addons ask for. The
 * standard library is built from its source, without what names the functions of a backtrace: an addon has no symbols that it could show.
 * That needs Python with pip beside the Rust toolchain. macOS and Windows build their own target with their own tools.
 */

import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, readdirSync, renameSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { root } from './entries.mjs'

/**
 * `rust`: the target's name for cargo; `floor`: the glibc version that cargo-zigbuild links against; `library`: how cargo calls what it makes.
 * @type {Record<string, { rust: string, floor?: string, flags?: string, library: string, checkOnly?: boolean }>}
 */
const targets = {
  'linux-x64-gnu': { rust: 'x86_64-unknown-linux-gnu', floor: '2.17', library: 'liblakebase_native.so' },
  'linux-arm64-gnu': { rust: 'aarch64-unknown-linux-gnu', floor: '2.17', library: 'liblakebase_native.so' },
  // An addon is a shared library, which musl targets do not make unless told.
  'linux-x64-musl': { rust: 'x86_64-unknown-linux-musl', flags: '-C target-feature=-crt-static', library: 'liblakebase_native.so' },
  'linux-arm64-musl': { rust: 'aarch64-unknown-linux-musl', flags: '-C target-feature=-crt-static', library: 'liblakebase_native.so' },
  'darwin-arm64': { rust: 'aarch64-apple-darwin', library: 'liblakebase_native.dylib' },
  'darwin-x64': { rust: 'x86_64-apple-darwin', library: 'liblakebase_native.dylib' },
  // Linux cannot link it: no package registry has Microsoft's import libraries.
  'win32-x64-msvc': { rust: 'x86_64-pc-windows-msvc', library: 'lakebase_native.dll', checkOnly: process.platform === 'linux' },
}

const crossing = process.platform === 'linux'
const possible = Object.keys(targets).filter((name) => crossing || name.startsWith(`${process.platform}-${process.arch}`))
const names = process.argv.slice(2)
const unknown = names.filter((name) => !possible.includes(name))
if (unknown.length > 0) throw new Error(`${unknown.join(', ')}: no target that this machine builds. It builds ${possible.join(', ')}`)

const toolchain = crossing ? await import('./cross-toolchain.mjs') : undefined
const variables = toolchain?.installToolchain()
const results = []
for (const name of names.length > 0 ? names : possible) results.push(build(name, targets[name]))
console.log(results.join('\n'))

function build(name, { rust, floor, flags = '', library, checkOnly = false }) {
  const env = {
    ...process.env,
    ...variables,
    RUSTFLAGS: [process.env.RUSTFLAGS, flags, ...withoutFolders()].filter(Boolean).join(' '),
    // build-std is an unstable option of the stable compiler's own cargo.
    ...(crossing ? { RUSTC_BOOTSTRAP: '1' } : {}),
  }
  const own = crossing ? ['-Z', 'build-std=std,panic_unwind', '-Z', 'build-std-features=panic-unwind'] : []
  const command = checkOnly ? ['check'] : [crossing ? 'zigbuild' : 'build', '--release']
  const began = Date.now()
  const args = [...command, '--lib', '--target', floor ? `${rust}.${floor}` : rust, ...own]
  const { status } = spawnSync('cargo', args, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  const seconds = Math.round((Date.now() - began) / 1000)
  if (status !== 0) {
    process.exitCode = 1
    return `${name}: failed after ${seconds} s`
  }
  if (checkOnly) return `${name}: checked, not linked (${seconds} s)`
  const addon = join(root, 'npm', name, `lakebase-native.${name}.node`)
  // Renamed into place: a process may have loaded the one before.
  copyFileSync(join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), rust, 'release', library), `${addon}.new`)
  renameSync(`${addon}.new`, addon)
  return `${name}: ${(statSync(addon).size / 1e6).toFixed(2)} MB (${seconds} s)`
}

/** Flags that keep the folders of this machine out of the texts of panics: shorter, and the same wherever it is built. */
function withoutFolders() {
  const cargo = process.env.CARGO_HOME ?? join(homedir(), '.cargo')
  const sources = join(cargo, 'registry', 'src')
  const registries = existsSync(sources) ? readdirSync(sources).map((registry) => join(sources, registry)) : []
  const folders = [...registries, root, ...(toolchain ? [toolchain.standardLibrary] : [])]
  return folders.map((folder) => `--remap-path-prefix=${join(folder, '/')}=`)
}
