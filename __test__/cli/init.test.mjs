// `lakebase init`: from an identity to a working .env.local, without losing what is there.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { assertHidden, secretsOf } from '../support/secrets.mjs'
import { folder, json, lakebase } from './lakebase.mjs'

const app = deploy({ projects: ['shop'] })

/** What somebody has who has an identity and nothing else; the emulator's port is in no API. */
const identity = () => {
  const { DATABRICKS_HOST, DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET, NODE_EXTRA_CA_CERTS, PGPORT } = app.emulator.env
  return { DATABRICKS_HOST, DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET, NODE_EXTRA_CA_CERTS, PGPORT }
}
const init = (cwd, args = [], changes = {}) => lakebase(['init', ...args], { cwd, env: { ...identity(), ...changes } })
const text = (cwd, file) => readFileSync(join(cwd, file), 'utf8')

const existing = `# the app's variables
export A="1 # one"   # the first

STRIPE_KEY=sk_live_0123456789abcdef
PGUSER = somebody # changed by init
MULTI="line one
PGHOST=not a variable
line three"
#PGDATABASE=a comment
B='2'`

test('it writes what a connection needs, and with it one is made', async () => {
  const cwd = folder()
  const { code, stderr } = await init(cwd, ['--with-secrets'])
  assert.equal(code, 0, stderr)
  const { DATABRICKS_HOST, DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET, PGPORT } = identity()
  assert.equal(
    text(cwd, '.env.local'),
    `DATABRICKS_HOST=${DATABRICKS_HOST}
DATABRICKS_CLIENT_ID=${DATABRICKS_CLIENT_ID}
DATABRICKS_CLIENT_SECRET=${DATABRICKS_CLIENT_SECRET}
LAKEBASE_ENDPOINT=projects/shop/branches/production/endpoints/primary
PGHOST=localhost
PGPORT=${PGPORT}
PGDATABASE=databricks_postgres
PGUSER=${DATABRICKS_CLIENT_ID}
PGSSLMODE=require
`,
  )
  assert.equal(statSync(join(cwd, '.env.local')).mode & 0o777, 0o600)
  assertHidden(secretsOf(app.emulator), stderr)
  const { NODE_EXTRA_CA_CERTS } = app.emulator.env
  const doctor = json(await lakebase(['doctor', '--json'], { cwd, env: { NODE_EXTRA_CA_CERTS } }))
  assert.equal(doctor.ok, true, JSON.stringify(doctor))
})

test('an existing file keeps every line, comment, quote and its order', async () => {
  const cwd = folder()
  writeFileSync(join(cwd, '.env.local'), existing)
  assert.equal((await init(cwd)).code, 0)
  const { DATABRICKS_HOST, DATABRICKS_CLIENT_ID, PGPORT } = identity()
  assert.equal(
    text(cwd, '.env.local'),
    `${existing.replace('PGUSER = somebody # changed', `PGUSER = ${DATABRICKS_CLIENT_ID} # changed`)}
DATABRICKS_HOST=${DATABRICKS_HOST}
DATABRICKS_CLIENT_ID=${DATABRICKS_CLIENT_ID}
LAKEBASE_ENDPOINT=projects/shop/branches/production/endpoints/primary
PGHOST=localhost
PGPORT=${PGPORT}
PGDATABASE=databricks_postgres
PGSSLMODE=require
`,
  )
  const once = text(cwd, '.env.local')
  const again = await init(cwd)
  assert.match(again.stderr, /\.env\.local is as it should be already/)
  assert.equal(text(cwd, '.env.local'), once)
})

test('.env.example gets the names without values of this machine, and keeps what is there', async () => {
  const cwd = folder()
  writeFileSync(join(cwd, '.env.example'), 'PGHOST=ours.example # keep\nX=1')
  assert.equal((await init(cwd)).code, 0)
  const example = text(cwd, '.env.example')
  assert.ok(example.startsWith('PGHOST=ours.example # keep\nX=1\n\n# Lakebase.'), example)
  for (const name of ['DATABRICKS_HOST', 'DATABRICKS_CLIENT_ID', 'DATABRICKS_CLIENT_SECRET', 'LAKEBASE_ENDPOINT', 'PGDATABASE', 'PGUSER']) {
    assert.match(example, new RegExp(`^${name}=`, 'm'))
  }
  assert.equal(example.match(/^PGHOST=/gm).length, 1)
  for (const value of Object.values(identity())) assert.ok(!example.includes(value), value)
})

test('without --with-secrets the secret stays in the environment, and that is said', async () => {
  const cwd = folder()
  const { stderr } = await init(cwd)
  assert.doesNotMatch(text(cwd, '.env.local'), /CLIENT_SECRET/)
  assert.match(stderr, /DATABRICKS_CLIENT_SECRET stays in the environment; --with-secrets writes it/)
})

test('--dry-run shows a diff without values of other variables, and writes nothing', async () => {
  const cwd = folder()
  writeFileSync(join(cwd, '.env.local'), existing)
  const { code, stdout } = await init(cwd, ['--dry-run', '--with-secrets'])
  assert.equal(code, 0)
  assert.match(stdout, /^--- \.env\.local\n\+\+\+ \.env\.local\n@@ /)
  assert.match(stdout, /^-PGUSER = somebody # changed by init\n\+PGUSER = /m)
  assert.match(stdout, /^\+DATABRICKS_CLIENT_SECRET=…$/m)
  assert.match(stdout, /^ STRIPE_KEY=…$/m)
  assert.match(stdout, /^--- \/dev\/null\n\+\+\+ \.env\.example$/m)
  assertHidden([...secretsOf(app.emulator), 'sk_live_0123456789abcdef'], stdout)
  assert.equal(text(cwd, '.env.local'), existing)
  assert.equal(existsSync(join(cwd, '.env.example')), false)
})

test('--json tells what was written, without secrets', async () => {
  const cwd = folder()
  const result = await init(cwd, ['--json', '--with-secrets'])
  const { written, variables } = json(result)
  assert.deepEqual(written, ['.env.local', '.env.example'])
  assert.equal(variables.PGHOST, 'localhost')
  assertHidden(secretsOf(app.emulator), result.stdout)
})

test('branch, endpoint and database can be chosen by flags', async () => {
  const cwd = folder()
  const args = ['--project', 'shop', '--branch', 'development', '--endpoint', 'primary', '--database', 'postgres', '--user', 'me@example.com']
  assert.equal((await init(cwd, args)).code, 0)
  assert.match(text(cwd, '.env.local'), /LAKEBASE_ENDPOINT=projects\/shop\/branches\/development\/endpoints\/primary\n[\s\S]*PGDATABASE=postgres\nPGUSER=me@example\.com\n/)
  const full = folder()
  assert.equal((await init(full, ['--endpoint', 'projects/shop/branches/production/endpoints/replica'])).code, 0)
  assert.match(text(full, '.env.local'), /LAKEBASE_ENDPOINT=projects\/shop\/branches\/production\/endpoints\/replica/)
})

test('an instance takes the endpoint\'s place, whose line becomes a comment', async () => {
  const cwd = folder()
  await init(cwd)
  assert.equal((await init(cwd, ['--instance', 'emulator'])).code, 0)
  assert.match(text(cwd, '.env.local'), /^# LAKEBASE_ENDPOINT=projects[\s\S]*^LAKEBASE_INSTANCE_NAME=emulator$/m)
})

test('what the file says already stays where nobody is asked', async () => {
  const cwd = folder()
  await init(cwd, ['--branch', 'development', '--database', 'postgres'])
  const before = text(cwd, '.env.local')
  assert.match(before, /branches\/development/)
  assert.equal((await init(cwd)).code, 0)
  assert.equal(text(cwd, '.env.local'), before)
})

test('what is not there is named with what there is', async () => {
  const { code, stderr } = await init(folder(), ['--project', 'shoop'])
  assert.equal(code, 3)
  assert.match(stderr, /there is no project shoop; there are: shop/)
})

test('several projects are an error that lists them, where nobody can be asked', async () => {
  const { startEmulator } = await import('lakebase-native/emulator')
  await using(await startEmulator({ projects: ['shop', 'blog'] }), async (other) => {
    const { LAKEBASE_ENDPOINT: _, ...env } = other.env
    const { code, stderr } = await lakebase(['init'], { cwd: folder(), env })
    assert.equal(code, 2)
    assert.match(stderr, /there are several projects: shop, blog\nhint .*--project/)
  })
})

test('a profile is written by its name, and its secrets stay in its file', async () => {
  const cwd = folder()
  const { DATABRICKS_HOST, NODE_EXTRA_CA_CERTS, PGPORT } = identity()
  const { DATABRICKS_TOKEN } = app.emulator.envFor({ auth: 'pat' })
  writeFileSync(join(cwd, '.databrickscfg'), `[work]\nhost = ${DATABRICKS_HOST}\ntoken = ${DATABRICKS_TOKEN}\n`, { mode: 0o600 })
  const { code, stderr } = await lakebase(['init', '--profile', 'work', '--with-secrets'], { cwd, env: { NODE_EXTRA_CA_CERTS, PGPORT } })
  assert.equal(code, 0, stderr)
  assert.match(text(cwd, '.env.local'), /^DATABRICKS_CONFIG_PROFILE=work$/m)
  assert.match(text(cwd, '.env.local'), /^PGUSER=developer@example\.com$/m)
  assertHidden([DATABRICKS_TOKEN], text(cwd, '.env.local') + stderr)
})

test('without an identity the error says how to get one', async () => {
  const { code, stderr } = await lakebase(['init'], { cwd: folder(), env: {} })
  assert.equal(code, 3)
  assert.match(stderr, /databricks auth login/)
})

for (const [dependencies, shown, hidden] of [
  [['next'], ['serverExternalPackages', 'lib/db.ts', 'createLakebasePool'], ['drizzle', 'Prisma']],
  [['drizzle-orm', 'next'], ['drizzle.config.ts', 'lakebase-native/drizzle', 'lakebase exec -- npx drizzle-kit'], ['Prisma']],
  [['prisma'], ['lakebase exec -- npx prisma db pull', '@prisma/adapter-pg'], ['lib/db.ts']],
  [[], [], ['lib/db.ts', 'Prisma']],
]) {
  test(`an app with ${dependencies.join(' and ') || 'none of the known frameworks'} is told what it needs`, async () => {
    const cwd = folder()
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ dependencies: Object.fromEntries(dependencies.map((name) => [name, '*'])) }))
    const { stdout } = await init(cwd)
    for (const words of shown) assert.ok(stdout.includes(words), `${words} is not in:\n${stdout}`)
    for (const words of hidden) assert.ok(!stdout.includes(words), `${words} is in:\n${stdout}`)
  })
}

test('--write-code writes files that are not there, and leaves the others', async () => {
  const cwd = folder()
  writeFileSync(join(cwd, 'package.json'), JSON.stringify({ dependencies: { 'drizzle-orm': '*' } }))
  mkdirSync(join(cwd, 'src'))
  writeFileSync(join(cwd, 'drizzle.config.ts'), '// mine')
  const { stderr } = await init(cwd, ['--write-code'])
  assert.match(stderr, /wrote src\/lib\/db\.ts/)
  assert.match(text(cwd, 'src/lib/db.ts'), /lakebase-native\/drizzle/)
  assert.equal(text(cwd, 'drizzle.config.ts'), '// mine')
})

async function using(emulator, work) {
  try {
    await work(emulator)
  } finally {
    await emulator.stop()
  }
}
