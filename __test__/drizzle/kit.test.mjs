// examples/drizzle as an app would have it: the real drizzle-kit with tokens that expire, and migrate() in code.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { getDatabaseUrl } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const HOUR_MILLIS = 3_600_000
const BOUND = { timeout: 120_000 }
const app = deploy()

const project = realpathSync(mkdtempSync(join(tmpdir(), 'lakebase-native-drizzle-')))
after(() => rmSync(project, { recursive: true, force: true }))
cpSync(join(root, 'examples/drizzle'), project, { recursive: true })
for (const name of ['drizzle-orm', 'drizzle-kit', 'pg', '.bin/drizzle-kit']) link(name, join(root, 'node_modules', name))
link('lakebase-native', root)

function link(name, target) {
  const place = join(project, 'node_modules', name)
  mkdirSync(dirname(place), { recursive: true })
  symlinkSync(realpathSync(target), place)
}

/** Starts a script of the example; `output` is what it has printed so far. */
function start(args, environment = {}) {
  const child = spawn(process.execPath, args, { cwd: project, env: { ...process.env, NODE_TEST_CONTEXT: undefined, NO_PROXY: undefined, ...environment }, detached: true })
  const run = { child, output: '', exited: once(child, 'exit') }
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (run.output += text))
  return run
}

/** Runs it to its end; resolves with what it printed. */
async function run(...args) {
  const started = start(args)
  const [code] = await started.exited
  assert.equal(code, 0, started.output)
  return started.output
}

const kit = (...args) => run('drizzle-kit.js', ...args)
const tables = async () => (await app.emulator.query("select table_name from information_schema.tables where table_schema = 'public' order by 1")).map((row) => row.table_name)
const empty = () => app.emulator.query('drop schema if exists public cascade; drop schema if exists drizzle cascade; create schema public')

test('generate, then migrate() in code, then the app', BOUND, async () => {
  await empty()
  await kit('generate', '--name', 'first')
  assert.deepEqual(readdirSync(join(project, 'drizzle')).sort(), ['0000_first.sql', 'meta'])
  await run('migrate.js')
  await run('migrate.js')
  assert.deepEqual(await tables(), ['authors', 'posts'])
  const shown = JSON.parse(await run('app.js'))
  assert.deepEqual(shown, { authors: [{ id: 1, name: 'Ada', posts: [{ title: 'Notes' }, { title: 'More notes' }] }], count: 2 })
})

test('the code of docs/drizzle.md', BOUND, async () => {
  const [use, migration, script] = readFileSync(join(root, 'docs/drizzle.md'), 'utf8').match(/(?<=```ts\n).*?(?=```)/gs)
  const code = (file) => readFileSync(join(project, file), 'utf8').replaceAll(/^\/\/.*\n/gm, '')
  assert.equal(migration, code('migrate.js'))
  assert.equal(script, code('drizzle-kit.js'))
  await empty()
  await kit('push', '--force')
  writeFileSync(join(project, 'document.js'), `${use}console.log(JSON.stringify([author, authors[0].posts[0].title, posts.length]))`)
  assert.deepEqual(JSON.parse(await run('document.js')), [{ id: 1, name: 'Ada' }, 'Notes', 1])
})

test('migrate, with a token that was fetched after the last one had expired', BOUND, async () => {
  await empty()
  await kit('generate')
  await kit('migrate')
  assert.deepEqual(await tables(), ['authors', 'posts'])
  const stale = await getDatabaseUrl()
  app.emulator.advanceClock(2 * HOUR_MILLIS)
  const withStale = start(['node_modules/.bin/drizzle-kit', 'migrate'], { DATABASE_URL: stale })
  const [code] = await withStale.exited
  assert.notEqual(code, 0)
  assert.ok(!withStale.output.includes(new URL(stale).password))
  await kit('migrate')
})

test('push', BOUND, async () => {
  await empty()
  await kit('push', '--force')
  assert.deepEqual(await tables(), ['authors', 'posts'])
})

test('pull', BOUND, async () => {
  await empty()
  await kit('push', '--force')
  const config = readFileSync(join(project, 'drizzle.config.js'), 'utf8')
  writeFileSync(join(project, 'pull.config.js'), config.replace('./drizzle', './pulled'))
  await kit('pull', '--config', 'pull.config.js')
  const schema = readFileSync(join(project, 'pulled/schema.ts'), 'utf8')
  for (const table of ['authors', 'posts']) assert.match(schema, new RegExp(`pgTable\\("${table}"`))
})

test('studio starts', BOUND, async () => {
  const studio = start(['drizzle-kit.js', 'studio', '--port', '0', '--host', '127.0.0.1'])
  try {
    while (!/up and running|error/i.test(studio.output)) {
      await Promise.race([once(studio.child.stdout, 'data'), once(studio.child.stderr, 'data'), studio.exited.then(() => assert.fail(studio.output))])
    }
    assert.match(studio.output, /up and running/)
  } finally {
    process.kill(-studio.child.pid, 'SIGTERM')
    await studio.exited
  }
})
