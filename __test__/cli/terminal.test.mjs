// What a person sees: questions, colours, and no colours where they are not wanted.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { folder, lakebase } from './lakebase.mjs'
import { KEYS, onTerminal } from './terminal.mjs'

const app = deploy({ projects: ['shop', 'blog'] })
// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences that colour a terminal.
const COLOURED = /\u001b\[3\dm/

const identity = () => {
  const { LAKEBASE_ENDPOINT: _endpoint, PGHOST: _host, PGDATABASE: _database, PGUSER: _user, ...rest } = app.emulator.env
  return rest
}

test('init asks what is not decided, begins with the usual answer, and writes what was chosen', async () => {
  const cwd = folder()
  const terminal = onTerminal(['init'], { cwd, env: identity() })
  await terminal.shows('Which project?')
  terminal.type(KEYS.down + KEYS.enter)
  await terminal.shows('Which branch?')
  assert.match(terminal.text, /production.*default/)
  terminal.type(KEYS.enter)
  await terminal.shows('Which endpoint?')
  assert.match(terminal.text, /primary.*read and write/)
  terminal.type(KEYS.enter)
  await terminal.shows('Which database?')
  terminal.type(KEYS.enter)
  const { code, text, screen } = await terminal.ended
  assert.equal(code, 0, text)
  assert.match(text, /wrote \.env\.local\nwrote \.env\.example/)
  assert.match(screen, COLOURED)
  assert.match(readFileSync(join(cwd, '.env.local'), 'utf8'), /LAKEBASE_ENDPOINT=projects\/blog\/branches\/production\/endpoints\/primary\n/)
})

test('Ctrl-C in a question ends with 130 and writes nothing', async () => {
  const cwd = folder()
  const terminal = onTerminal(['init'], { cwd, env: identity() })
  await terminal.shows('Which project?')
  terminal.type(KEYS.interrupt)
  const { code, text } = await terminal.ended
  assert.equal(code, 130)
  assert.match(text, /cancelled; nothing was written/)
  assert.equal(existsSync(join(cwd, '.env.local')), false)
})

test('without an identity init offers the profiles that are there', async () => {
  const cwd = folder()
  const { DATABRICKS_HOST, NODE_EXTRA_CA_CERTS, PGPORT } = identity()
  const { DATABRICKS_TOKEN } = app.emulator.envFor({ auth: 'pat' })
  writeFileSync(join(cwd, '.databrickscfg'), `[home]\nhost = ${DATABRICKS_HOST}\ntoken = ${DATABRICKS_TOKEN}\n[work]\nhost = https://other.example\n`, { mode: 0o600 })
  const terminal = onTerminal(['init', '--project', 'shop', '--branch', 'development', '--database', 'postgres'], { cwd, env: { NODE_EXTRA_CA_CERTS, PGPORT } })
  await terminal.shows('Which profile')
  terminal.type(KEYS.enter)
  const { code, text } = await terminal.ended
  assert.equal(code, 0, text)
  assert.match(readFileSync(join(cwd, '.env.local'), 'utf8'), /DATABRICKS_CONFIG_PROFILE=home\n/)
  assert.ok(!text.includes(DATABRICKS_TOKEN))
})

test('doctor is coloured on a terminal, and its marks line up', async () => {
  const { screen, text } = await onTerminal(['doctor'], { cwd: folder(), env: app.emulator.env }).ended
  assert.match(screen, COLOURED)
  const times = text.split('\n').filter((line) => line.startsWith('✓')).map((line) => line.indexOf(' ms'))
  assert.equal(times.length, 14, text)
  assert.deepEqual([...new Set(times)], [times[0]], text)
})

test('a line that is wider than the terminal goes on in its column', async () => {
  const { text } = await onTerminal(['doctor'], { cwd: folder(), env: { ...app.emulator.env, DATABRICKS_CLIENT_SECRET: 'dose-wrong-wrong' } }).ended
  const lines = text.split('\n')
  const at = lines.findIndex((line) => line.startsWith('✗ workspace API'))
  assert.ok(lines[at].length <= 100 && lines[at].length > 80, text)
  const column = lines[at].indexOf('oauth-m2m')
  assert.match(lines[at + 1], new RegExp(`^ {${column}}\\S`))
})

for (const [what, args, env] of [
  ['NO_COLOR', [], { NO_COLOR: '1' }],
  ['--no-color', ['--no-color'], {}],
  ['a terminal without colours', [], { TERM: 'dumb' }],
]) {
  test(`${what} leaves no colour on a terminal`, async () => {
    const { screen } = await onTerminal(['doctor', ...args], { cwd: folder(), env: { ...app.emulator.env, ...env } }).ended
    assert.match(screen, /everything works/)
    assert.doesNotMatch(screen, COLOURED)
  })
}

test('where the output is no terminal there are no colours', async () => {
  const { stdout } = await lakebase(['doctor'], { cwd: folder(), env: app.emulator.env })
  assert.doesNotMatch(stdout, COLOURED)
})

test('exec gives the command the terminal, and Ctrl-C reaches it once', async () => {
  const script = "let n = 0; process.on('SIGINT', () => n++ || setTimeout(() => { console.log('interrupted ' + n); process.exit(3) }, 500)); console.log('tty ' + process.stdout.isTTY); setInterval(() => {}, 1e9)"
  const terminal = onTerminal(['exec', '--', process.execPath, '-e', script], { cwd: folder(), env: app.emulator.env })
  await terminal.shows('tty true')
  terminal.type(KEYS.interrupt)
  const { code, text } = await terminal.ended
  assert.match(text, /interrupted 1\n/)
  assert.equal(code, 3)
})
