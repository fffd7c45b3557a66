/**
 * Builds the addon for other platforms on this machine into npm/<target>, from where `npm run pack` takes it.
 *   npm run build:targets                      every target that this machine can link, and `cargo check` for Windows
 *   npm run build:targets -- linux-arm64-gnu   only these
 *
 * zig is the linker and brings the C library of every target: glibc 2.17 (2012) is the oldest that the Linux addons ask for. The standard
 * library is built from its source, without what names the functions of a backtrace: an addon has no symbols that it could show. Needs Linux,
 * Python with pip, and a Rust toolchain.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import { root } from './entries.mjs'

/** `rust`: the target's name for cargo; `floor`: the glibc version that cargo-zigbuild links against. */
const targets = {
  'linux-x64-gnu': { rust: 'x86_64-unknown-linux-gnu', floor: '2.17' },
  'linux-arm64-gnu': { rust: 'aarch64-unknown-linux-gnu', floor: '2.17' },
  // An addon is a shared library, which musl targets do not make unless told.
  'linux-x64-musl': { rust: 'x86_64-unknown-linux-musl', flags: '-C target-feature=-crt-static' },
  'linux-arm64-musl': { rust: 'aarch64-unknown-linux-musl', flags: '-C target-feature=-crt-static' },
  'darwin-arm64': { rust: 'aarch64-apple-darwin' },
  'darwin-x64': { rust: 'x86_64-apple-darwin' },
  // Linking needs Microsoft's import libraries, which no package registry has: Windows itself builds it.
  'win32-x64-msvc': { rust: 'x86_64-pc-windows-msvc', checkOnly: true },
}

const cache = join(root, 'node_modules', '.cache', 'targets')
const python = join(cache, 'python')
const sysroot = execFileSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).trim()

const names = process.argv.slice(2)
const unknown = names.filter((name) => !(name in targets))
if (unknown.length > 0) throw new Error(`no such target: ${unknown.join(', ')}. There are ${Object.keys(targets).join(', ')}`)

mkdirSync(cache, { recursive: true })
installZig()
installSource()
const results = []
for (const name of names.length > 0 ? names : Object.keys(targets)) results.push(build(name, targets[name]))
console.log(results.join('\n'))

function build(name, { rust, floor, flags = '', checkOnly = false }) {
  const env = {
    ...process.env,
    PATH: [join(python, 'bin'), join(python, 'ziglang'), process.env.PATH].join(delimiter),
    PYTHONPATH: python,
    RUSTFLAGS: [process.env.RUSTFLAGS, flags, ...withoutFolders()].filter(Boolean).join(' '),
    // build-std is an unstable option of the stable compiler's own cargo.
    RUSTC_BOOTSTRAP: '1',
  }
  const standardLibrary = ['-Z', 'build-std=std,panic_unwind', '-Z', 'build-std-features=panic-unwind']
  const began = Date.now()
  const command = checkOnly ? ['check', '--lib', '--target', rust] : ['zigbuild', '--release', '--lib', '--target', floor ? `${rust}.${floor}` : rust]
  const { status } = spawnSync('cargo', [...command, ...standardLibrary], { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] })
  const seconds = Math.round((Date.now() - began) / 1000)
  if (status !== 0) {
    process.exitCode = 1
    return `${name}: failed after ${seconds} s`
  }
  if (checkOnly) return `${name}: checked, not linked (${seconds} s)`
  const library = join(root, 'target', rust, 'release', `liblakebase_native.${rust.includes('apple') ? 'dylib' : 'so'}`)
  const addon = join(root, 'npm', name, `lakebase-native.${name}.node`)
  // Renamed into place: a process may have loaded the one before.
  copyFileSync(library, `${addon}.new`)
  renameSync(`${addon}.new`, addon)
  return `${name}: ${(statSync(addon).size / 1e6).toFixed(2)} MB (${seconds} s)`
}

/** Flags that keep the folders of this machine out of the texts of panics: shorter, and the same wherever it is built. */
function withoutFolders() {
  const cargo = process.env.CARGO_HOME ?? join(homedir(), '.cargo')
  const sources = join(cargo, 'registry', 'src')
  const registries = existsSync(sources) ? readdirSync(sources).map((registry) => join(sources, registry)) : []
  return [...registries, root, join(sysroot, 'lib', 'rustlib', 'src', 'rust')].map((folder) => `--remap-path-prefix=${folder}/=`)
}

/** zig and cargo-zigbuild as Python packages, which bring their programs. */
function installZig() {
  const packages = ['ziglang==0.17.0', 'cargo-zigbuild==0.24.0']
  const stamp = join(python, 'installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === packages.join()) return
  execFileSync('python3', ['-m', 'pip', 'install', '--quiet', '--upgrade', '--target', python, ...packages], { stdio: 'inherit' })
  writeFileSync(stamp, packages.join())
}

/** Sees that the source of the standard library is there. */
function installSource() {
  const source = join(sysroot, 'lib', 'rustlib', 'src', 'rust')
  if (existsSync(join(source, 'library', 'std'))) return
  if (spawnSync('rustup', ['component', 'add', 'rust-src'], { stdio: 'ignore' }).status === 0) return
  installDebianSource(source)
}

/**
 * The source of this compiler's standard library from Debian, for machines that reach only package registries. It comes from the suite
 * that packages the same version, through an apt configuration of its own: nothing of the system changes.
 */
function installDebianSource(source) {
  const version = execFileSync('rustc', ['--version'], { encoding: 'utf8' }).split(' ')[1]
  const apt = join(cache, 'apt')
  for (const folder of ['lists/partial', 'cache/archives/partial', 'packages']) mkdirSync(join(apt, folder), { recursive: true })
  const lists = ['/etc/apt/sources.list', ...readdirSync('/etc/apt/sources.list.d').map((file) => join('/etc/apt/sources.list.d', file))]
  const mirror = lists
    .filter(existsSync)
    .map((file) => /^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(\S+)/m.exec(readFileSync(file, 'utf8'))?.[1])
    .find(Boolean)
  if (!mirror) throw new Error('no Debian mirror is configured: install the rust-src component of this toolchain by hand')
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'
  writeFileSync(join(apt, 'sources.list'), `deb [signed-by=${keyring}] ${mirror} trixie-backports main\n`)
  const options = {
    'Dir::Etc::sourcelist': join(apt, 'sources.list'),
    'Dir::Etc::sourceparts': '-',
    'Dir::State::lists': join(apt, 'lists'),
    'Dir::Cache': join(apt, 'cache'),
  }
  const configuration = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  execFileSync('apt-get', [...configuration, 'update', '-q'], { stdio: 'inherit' })
  const found = execFileSync('apt-cache', [...configuration, 'madison', 'rust-src'], { encoding: 'utf8' })
  const debian = found.split('\n').map((line) => line.split('|')[1]?.trim()).find((candidate) => candidate?.startsWith(`${version}+`))
  if (!debian) throw new Error(`Debian has no rust-src for Rust ${version}: install the rust-src component of this toolchain by hand`)
  execFileSync('apt-get', [...configuration, 'download', `rust-src=${debian}`], { cwd: join(apt, 'packages'), stdio: 'inherit' })
  const [archive] = readdirSync(join(apt, 'packages')).filter((file) => file.startsWith('rust-src'))
  execFileSync('dpkg-deb', ['-x', join(apt, 'packages', archive), join(apt, 'rust-src')])
  mkdirSync(join(source, '..'), { recursive: true })
  symlinkSync(join(apt, 'rust-src', 'usr', 'src', `rustc-${version}`), source)
}
