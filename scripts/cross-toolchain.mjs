/**
 * What Linux needs to build for other systems: zig as the linker with every C library, and the source of Rust's standard library. Both come
 * from package registries, into node_modules/.cache/targets.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { root } from './entries.mjs'

const cache = join(root, 'node_modules', '.cache', 'targets')
const python = join(cache, 'python')
const sysroot = execFileSync('rustc', ['--print', 'sysroot'], { encoding: 'utf8' }).trim()

/** Where the source of the standard library is, or will be. */
export const standardLibrary = join(sysroot, 'lib', 'rustlib', 'src', 'rust')

/** Installs what is not there; returns the variables that cargo needs to find it. */
export function installToolchain() {
  mkdirSync(cache, { recursive: true })
  installZig()
  installSource()
  return { PATH: [join(python, 'bin'), join(python, 'ziglang'), process.env.PATH].join(delimiter), PYTHONPATH: python }
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
  if (existsSync(join(standardLibrary, 'library', 'std'))) return
  if (spawnSync('rustup', ['component', 'add', 'rust-src'], { stdio: 'ignore' }).status === 0) return
  installDebianSource(standardLibrary)
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
