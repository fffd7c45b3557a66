/**
 * Runs the smoke suite (__test__/smoke) with the addons of `npm run build:targets` and the package as it is packed. The servers run on this
 * machine: an emulator, and a PostgreSQL with passwords.
 *   npm run test:smoke                                              every runtime that a Linux x64 machine can run, by emulation, too
 *   npm run test:smoke -- node-24 bun                               only these
 *   npm run test:smoke -- darwin-arm64                              the addon of this target, on the Node.js that runs this
 *   npm run test:smoke -- linux-x64-musl --image node:24-alpine     in an image of Docker's
 */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { checkSymbols } from '../__test__/smoke/symbols.mjs'
import { runtimes } from '../__test__/smoke/runtimes.mjs'
import { root } from './entries.mjs'

const { values, positionals } = parseArgs({ options: { image: { type: 'string' } }, allowPositionals: true })
const targets = readdirSync(join(root, 'npm')).filter((name) => name !== 'local')
const chosen = positionals.length > 0 ? positionals.map(runtimeOf) : runtimes

const work = realpathSync(mkdtempSync(join(tmpdir(), 'lakebase-native-smoke-')))
process.once('exit', () => rmSync(work, { recursive: true, force: true }))
const tarballs = execFileSync(process.execPath, [join(root, 'scripts', 'pack.mjs'), work], { encoding: 'utf8' }).trim().split('\n')
installOwnAddon()
const servers = await startServers()
const results = []
for (const runtime of chosen) results.push(await run(runtime))
await servers.stop()
console.log(results.join('\n'))

/** A runtime by its name, or the target's addon on this Node.js or in an image. */
function runtimeOf(name) {
  const known = runtimes.find((runtime) => runtime.name === name)
  if (known) return known
  if (!targets.includes(name)) throw new Error(`neither a runtime nor a target: ${name}. There are ${[...runtimes.map((one) => one.name), ...targets].join(', ')}`)
  return { name: values.image ?? 'this Node.js', target: name, command: async () => (values.image ? inImage(values.image) : [process.execPath]) }
}

/** It sees the servers as this machine does, and the files under the same paths. */
function inImage(image) {
  const folders = [work, dirname(servers.env.NODE_EXTRA_CA_CERTS)].flatMap((folder) => ['--volume', `${folder}:${folder}:ro`])
  const file = join(work, 'environment')
  // Not in arguments, where every user of the machine could read it.
  writeFileSync(file, Object.entries(servers.env).map(([name, value]) => `${name}=${value}\n`).join(''), { mode: 0o600 })
  return ['docker', 'run', '--rm', '--network', 'host', ...folders, '--env-file', file, image, 'node']
}

/** The servers need an addon for this machine in npm/local: a build, or that of its target. */
function installOwnAddon() {
  const libc = process.platform === 'linux' && (process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl')
  const target = [process.platform, process.arch, libc, process.platform === 'win32' && 'msvc'].filter(Boolean).join('-')
  const file = `lakebase-native.${target}.node`
  const local = join(root, 'npm', 'local')
  if (existsSync(join(local, file))) return
  mkdirSync(local, { recursive: true })
  copyFileSync(join(root, 'npm', target, file), join(local, file))
}

async function startServers() {
  // Both load the addon.
  const { startEmulator } = await import('lakebase-native/emulator')
  const { postgres } = await import('../__test__/support/postgres.mjs')
  const emulator = await startEmulator()
  const password = 'a pass phrase'
  const server = await postgres({ tls: true, host: '127.0.0.1', password })
  const { host, port, superuser: user, ca } = server
  const scram = { host, port, user, password: encodeURIComponent(password), database: 'postgres', ssl: { ca } }
  return {
    env: { ...emulator.env, SMOKE_SERVERS: JSON.stringify({ ca: emulator.ca, scram: { ...scram, password } }) },
    stop: () => Promise.all([emulator.stop(), server.stop()]),
  }
}

/** @param {import('../__test__/smoke/runtimes.mjs').Runtime} runtime */
async function run({ name, target, command, flags = [] }) {
  const addon = join(root, 'npm', target, `lakebase-native.${target}.node`)
  if (!existsSync(addon)) return failed(`${name}: no addon; npm run build:targets -- ${target}`)
  if (process.platform === 'linux' && target.startsWith('linux-')) checkSymbols(target, addon)
  const app = install(target)
  const [program, ...before] = await command()
  const version = execFileSync(program, [...before, '--version'], { encoding: 'utf8' }).split('\n')[0]
  const began = Date.now()
  const child = spawn(program, [...before, ...flags, join(app, 'program.mjs')], {
    cwd: app,
    env: { PATH: process.env.PATH, HOME: work, SystemRoot: process.env.SystemRoot, ...servers.env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  const [code, signal] = await once(child, 'close')
  const failures = output.match(/^not ok .*(\n {2}# .*)*/gm) ?? []
  if (failures.length > 0) console.log(failures.map((failure) => `${name}: ${failure}`).join('\n'))
  const summary = /^# (\d+ passed, \d+ failed)$/m.exec(output)?.[1] ?? `ended with ${signal ?? code} before its end`
  const line = `${name} (${version}, ${target}): ${summary} in ${((Date.now() - began) / 1000).toFixed(1)} s`
  return code === 0 ? line : failed(line)
}

function failed(line) {
  process.exitCode = 1
  return line
}

/** An app that has the packages' tarballs in node_modules, and only this target's addon. */
function install(target) {
  const app = join(work, target)
  if (existsSync(app)) return app
  for (const tarball of tarballs) {
    const name = basename(tarball).replace(/-\d+\.\d+\.\d+.*$/, '')
    if (name !== 'lakebase-native' && name !== `lakebase-native-${target}`) continue
    const folder = join(app, 'node_modules', name)
    mkdirSync(folder, { recursive: true })
    execFileSync('tar', ['-xzf', tarball, '-C', folder, '--strip-components=1'])
  }
  const { dependencies } = JSON.parse(readFileSync(join(app, 'node_modules', 'lakebase-native', 'package.json'), 'utf8'))
  for (const name of Object.keys(dependencies)) cpSync(join(root, 'node_modules', name), join(app, 'node_modules', name), { recursive: true })
  cpSync(join(root, '__test__', 'smoke', 'program.mjs'), join(app, 'program.mjs'))
  cpSync(join(root, '__test__', 'smoke', 'package.json'), join(app, 'package.json'))
  return app
}
