// What an emulator keeps in its folder between runs, and the branches that run side by side.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { startEmulator } from 'lakebase-native/emulator'
import { start } from '../support/child.mjs'
import { test } from '../support/test.mjs'
import { connected, databaseToken } from './clients.mjs'

function folder(t) {
  const parent = mkdtempSync(join(tmpdir(), 'lakebase-kept-'))
  // PostgreSQL runs as another user where this process is root.
  chmodSync(parent, 0o755)
  t.after(() => rmSync(parent, { recursive: true, force: true }))
  return join(parent, 'folder')
}

async function running(t, options) {
  const emulator = await startEmulator(options)
  t.after(() => emulator.stop())
  return emulator
}

const count = async (emulator, branch) => Number((await emulator.query('SELECT count(*) FROM kept', branch))[0].count)

test('data, credentials, certificate and ports are those of the last run', async (t) => {
  const directory = folder(t)
  const first = await running(t, { directory })
  assert.equal(first.branches[0].isNew, true)
  await first.query('CREATE TABLE kept AS SELECT generate_series(1, 3)')
  const { env, ca } = first
  await first.stop()
  assert.equal(existsSync(first.caFile), true)

  const second = await running(t, { directory })
  assert.deepEqual(second.env, env)
  assert.equal(second.ca, ca)
  assert.equal(second.branches[0].isNew, false)
  assert.equal(await count(second), 3)
  await (await connected(second, await databaseToken(second))).end()
})

test('the folder keeps its secrets to its owner and itself out of repositories', async (t) => {
  const directory = folder(t)
  await running(t, { directory })
  assert.equal(statSync(join(directory, 'emulator.json')).mode & 0o777, 0o600)
  assert.equal(readFileSync(join(directory, '.gitignore'), 'utf8'), '*\n')
})

test('data survives the end of a process that was killed', async (t) => {
  const directory = folder(t)
  const child = start(
    async (directory) => {
      const { startEmulator } = await import('lakebase-native/emulator')
      const emulator = await startEmulator({ directory })
      await emulator.query('CREATE TABLE kept AS SELECT generate_series(1, 3)')
      await emulator.query('CHECKPOINT')
      process.send('made')
    },
    { args: [directory] },
  )
  await child.message()
  child.process.kill('SIGKILL')
  await child.ended
  const lock = join(directory, 'branches', 'production', 'postmaster.pid')
  while (existsSync(lock)) await new Promise((resolve) => setTimeout(resolve, 50))
  assert.equal(await count(await running(t, { directory })), 3)
})

test('a port that somebody else has taken is replaced by another', async (t) => {
  const directory = folder(t)
  const first = await running(t, { directory })
  await first.stop()
  const other = createServer().listen(first.ports.database, '127.0.0.1')
  await once(other, 'listening')
  t.after(() => other.close())
  const second = await running(t, { directory })
  assert.notEqual(second.ports.database, first.ports.database)
  assert.equal(second.ports.api, first.ports.api)
})

test('a new branch begins with a copy of production, and goes its own way', async (t) => {
  const directory = folder(t)
  const first = await running(t, { directory })
  await first.query('CREATE TABLE kept AS SELECT generate_series(1, 3)')
  await first.stop()

  const both = await running(t, { directory, branches: ['production', 'feature'] })
  await both.query('DELETE FROM kept', 'feature')
  assert.deepEqual([await count(both), await count(both, 'feature')], [3, 0])
  assert.deepEqual(both.branches.map(({ name, isNew }) => [name, isNew]), [['production', false], ['feature', false]])

  const env = both.envFor({ branch: 'feature' })
  assert.equal(env.LAKEBASE_ENDPOINT, 'projects/emulator/branches/feature/endpoints/primary')
  assert.equal(Number(env.PGPORT), both.branches[1].port)
  assert.throws(() => both.envFor({ branch: 'missing' }), /no branch missing runs: these do: production, feature/)
  await both.stop()

  const again = await running(t, { directory, branches: ['feature'], fresh: true })
  assert.equal(await count(again), 3)
})

test('a credential opens the branch that it is for and no other', async (t) => {
  const emulator = await running(t, { branches: ['production', 'feature'] })
  const refused = []
  emulator.events.on('login', ({ refusal }) => refusal && refused.push(refusal))
  const token = await databaseToken(emulator)
  await (await connected(emulator, token)).end()
  const port = emulator.branches[1].port
  await assert.rejects(connected(emulator, token, { port }), { code: '28P01' })
  assert.deepEqual(refused, ['token for another endpoint'])
})

test('a second emulator of the same folder is refused and leaves the first alone', async (t) => {
  const directory = folder(t)
  const first = await running(t, { directory })
  await assert.rejects(startEmulator({ directory }), /postmaster.pid/)
  assert.equal((await first.query('SELECT 1 AS one'))[0].one, '1')
})

test('a folder with a file that is no emulator\'s is refused', async (t) => {
  const directory = folder(t)
  await (await running(t, { directory })).stop()
  writeFileSync(join(directory, 'emulator.json'), 'something else')
  await assert.rejects(startEmulator({ directory }), /emulator\.json is not what an emulator has written/)
})

test('issued tokens are told without their values', async (t) => {
  const emulator = await running(t, {})
  const issued = []
  emulator.events.on('token', (token) => issued.push(token))
  await databaseToken(emulator)
  assert.deepEqual(issued.map(({ kind }) => kind), ['access', 'database'])
  const [, { identity, scope, issuedAt, expiresAt }] = issued
  assert.equal(identity, emulator.env.DATABRICKS_CLIENT_ID)
  assert.deepEqual(scope, [emulator.endpoint])
  assert.equal(expiresAt - issuedAt, 3_600_000)
  assert.deepEqual(Object.keys(issued[1]), ['kind', 'identity', 'scope', 'issuedAt', 'expiresAt'])
})

test('branches have names that can be those of folders', async () => {
  await assert.rejects(startEmulator({ branches: ['../other'] }), /branches: "\.\.\/other" must be lower-case letters/)
  await assert.rejects(startEmulator({ branches: ['a', 'a'] }), /branches must name each branch once/)
})
