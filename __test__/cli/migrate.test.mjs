// `lakebase migrate`: applies SQL files and Drizzle's migrations, each once, under a lock.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import pg from 'pg'
import { deploy } from '../support/deployment.mjs'
import { assertHidden, secretsOf } from '../support/secrets.mjs'
import { writeMigrations } from './drizzle-project.mjs'
import { folder, json, lakebase, start } from './lakebase.mjs'

const app = deploy()
const cwd = folder()
const run = (args, changes = {}) => lakebase(['migrate', ...args], { cwd, env: { ...app.emulator.env, ...changes } })
const file = (name, text) => writeFileSync(join(cwd, 'migrations', name), text)

beforeEach(async () => {
  for (const name of ['migrations', 'drizzle']) rmSync(join(cwd, name), { recursive: true, force: true })
  mkdirSync(join(cwd, 'migrations'))
  await app.emulator.query('drop schema if exists drizzle cascade; drop schema public cascade; create schema public')
})

const tables = async () => {
  const rows = await app.emulator.query("select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace order by 1")
  return rows.map(({ relname }) => relname)
}

test('SQL files are applied by name, each once, and what was applied is told', async () => {
  file('002_b.sql', 'create table b (id int references a)')
  file('001_a.sql', 'create table a (id int primary key); insert into a values (1);\n-- two statements\n')
  const first = await run([])
  assert.equal(first.code, 0, first.stderr)
  assert.match(first.stderr, /applied 001_a\.sql in \d+ ms\napplied 002_b\.sql in \d+ ms/)
  assert.equal(first.stdout, '2 applied, 0 there before\n')
  file('003_c.sql', 'create table c ()')
  const second = json(await run(['--json']))
  assert.deepEqual([second.format, second.known, second.applied.map(({ name }) => name)], ['sql', 2, ['003_c.sql']])
  assert.equal((await run([])).stdout, '0 applied, 3 there before\n')
  assert.deepEqual(await tables(), ['a', 'b', 'c', 'lakebase_migrations'])
})

test('--dry-run lists what is new and changes nothing', async () => {
  file('001_a.sql', 'create table a ()')
  assert.equal((await run(['--dry-run'])).stdout, '001_a.sql\n')
  assert.deepEqual(await tables(), [])
})

test('a file that fails leaves nothing of itself, keeps what was before, and is named with its line', async () => {
  file('001_a.sql', 'create table a ()')
  file('002_bad.sql', 'create table b ();\n\nselect nowhere from a;\n')
  file('003_c.sql', 'create table c ()')
  const { code, stderr } = await run([])
  assert.equal(code, 6)
  assert.match(stderr, /migrations\/002_bad\.sql:3: column "nowhere" does not exist \(42703\); nothing of it was kept/)
  assert.deepEqual(await tables(), ['a', 'lakebase_migrations'])
  assertHidden(secretsOf(app.emulator), stderr)
  file('002_bad.sql', 'create table b ()')
  assert.equal((await run([])).stdout, '2 applied, 1 there before\n')
})

test('a file that changed after it was applied is refused', async () => {
  file('001_a.sql', 'create table a ()')
  await run([])
  file('001_a.sql', 'create table a (id int)')
  const { code, stderr } = await run([])
  assert.equal(code, 1)
  assert.match(stderr, /001_a\.sql changed after it was applied\nhint .*put the file back/)
})

test('-- no-transaction runs what no transaction may hold', async () => {
  file('001_a.sql', 'create table a (id int)')
  file('002_index.sql', '-- no-transaction\ncreate index concurrently on a (id)')
  const { code, stderr } = await run([])
  assert.equal(code, 0, stderr)
})

test('two migrations at the same time run one after the other, each file once', async () => {
  file('001_slow.sql', 'select pg_sleep(1); create table a ()')
  const [first, second] = await Promise.all([run(['--json']), run(['--json'])])
  assert.deepEqual([first.code, second.code], [0, 0], first.stdout + second.stdout)
  assert.deepEqual([json(first).applied.length, json(second).applied.length].sort(), [0, 1])
})

test('--wait bounds how long the lock is waited for', async () => {
  file('001_a.sql', 'create table a ()')
  const holder = new pg.Client({ ...app.address(), password: await token() })
  await holder.connect()
  await holder.query("select pg_advisory_lock(hashtextextended('lakebase-native migrate', 0))")
  const { code, stderr } = await run(['--wait', '0'])
  assert.equal(code, 1)
  assert.match(stderr, /another migration holds the lock/)
  const waiting = start(['migrate'], { cwd, env: app.emulator.env })
  await new Promise((resolve) => waiting.process.stderr.on('data', () => waiting.stderr.includes('waiting for it to end') && resolve()))
  await holder.end()
  assert.equal((await waiting.ended).code, 0)
})

test('Drizzle\'s migrations go on where drizzle-orm\'s own migrate() ended, and the other way round', async () => {
  const path = join(cwd, 'drizzle')
  const first = { '0000_users': ['create table users (id serial primary key);\n', 'create table posts (id int references users);\n'] }
  const second = { ...first, '0001_title': ['alter table posts add column title text;\n'] }
  const third = { ...second, '0002_tags': ['create table tags ();\n'] }
  writeMigrations(path, first)
  const client = new pg.Client({ ...app.address(), password: await token() })
  await client.connect()
  await migrate(drizzle(client), { migrationsFolder: path })
  writeMigrations(path, second)
  const { code, stdout, stderr } = await run([])
  assert.equal(code, 0, stderr)
  assert.equal(stdout, '1 applied, 1 there before\n')
  writeMigrations(path, third)
  await migrate(drizzle(client), { migrationsFolder: path })
  await client.end()
  assert.equal((await run(['drizzle'])).stdout, '0 applied, 3 there before\n')
  assert.deepEqual(await tables(), ['posts', 'tags', 'users'])
  const rows = await app.emulator.query('select hash, created_at from drizzle.__drizzle_migrations order by id')
  const hash = createHash('sha256').update(readFileSync(join(path, '0001_title.sql'))).digest('hex')
  assert.deepEqual(rows[1], { hash, created_at: '1700000001000' })
})

test('the folders of drizzle-orm 1.0 are applied by their names', async () => {
  for (const [name, text] of [['20260101000000_a', 'create table a ();'], ['20260102000000_b', 'create table b ();']]) {
    mkdirSync(join(cwd, 'drizzle', name), { recursive: true })
    writeFileSync(join(cwd, 'drizzle', name, 'migration.sql'), text)
  }
  const { applied, format } = json(await run(['--json']))
  assert.deepEqual([format, applied.map(({ name }) => name)], ['drizzle-folders', ['20260101000000_a', '20260102000000_b']])
  const v1 = await import('drizzle-orm-rc/node-postgres')
  const { migrate: migrateV1 } = await import('drizzle-orm-rc/node-postgres/migrator')
  const client = new pg.Client({ ...app.address(), password: await token() })
  await client.connect()
  // Nothing is left to do: it would fail on the tables that are there.
  await migrateV1(v1.drizzle({ client }), { migrationsFolder: join(cwd, 'drizzle') })
  await client.end()
})

for (const [what, args, message] of [
  ['is not there', ['none'], /there is no folder none/],
  ['has no migrations', ['migrations'], /migrations has no migrations/],
]) {
  test(`a folder that ${what} is an error of the arguments`, async () => {
    const { code, stderr } = await run(args)
    assert.equal(code, 2)
    assert.match(stderr, message)
  })
}

async function token() {
  return (await lakebase(['token'], { cwd, env: app.emulator.env })).stdout.trim()
}
