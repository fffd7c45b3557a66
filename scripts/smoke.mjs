/**
 * Runs the smoke suite (__test__/smoke) on every platform and runtime that this machine can run, with the addons of `npm run build:targets`
 * and the package as it is packed. The servers run on this machine: an emulator, and a PostgreSQL with passwords.
 *   npm run test:smoke                   all
 *   npm run test:smoke -- node-24 bun    only these
 */

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { checkSymbols } from '../__test__/smoke/symbols.mjs'
import { runtimes } from '../__test__/smoke/runtimes.mjs'
import { postgres } from '../__test__/support/postgres.mjs'
import { root } from './entries.mjs'

const chosen = process.argv.slice(2)
const unknown = chosen.filter((name) => !runtimes.some((runtime) => runtime.name === name))
if (unknown.length > 0) throw new Error(`no such runtime: ${unknown.join(', ')}. There are ${runtimes.map(({ name }) => name).join(', ')}`)

const work = mkdtempSync(join(tmpdir(), 'lakebase-native-smoke-'))
process.once('exit', () => rmSync(work, { recursive: true, force: true }))
const tarballs = execFileSync(process.execPath, [join(root, 'scripts', 'pack.mjs'), work], { encoding: 'utf8' }).trim().split('\n')
const servers = await startServers()
const results = []
for (const runtime of runtimes.filter(({ name }) => chosen.length === 0 || chosen.includes(name))) results.push(await run(runtime))
await servers.stop()
console.log(results.join('\n'))

async function startServers() {
  const { startEmulator } = await import('lakebase-native/emulator')
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
  checkSymbols(target, addon)
  const app = install(target)
  const [program, ...before] = await command()
  const version = execFileSync(program, [...before, '--version'], { encoding: 'utf8' }).split('\n')[0]
  const began = Date.now()
  const child = spawn(program, [...before, ...flags, join(app, 'program.mjs')], {
    cwd: app,
    env: { PATH: process.env.PATH, HOME: work, ...servers.env },
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
