// `lakebase token`: prints or writes a database token, or the workspace's.
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import pg from 'pg'
import { deploy } from '../support/deployment.mjs'
import { program } from '../support/programs.mjs'
import { assertHidden, secretsOf } from '../support/secrets.mjs'
import { folder, json, lakebase } from './lakebase.mjs'

const app = deploy()
const cwd = folder()
const run = (args, changes = {}) => lakebase(['token', ...args], { cwd, env: { ...app.emulator.env, ...changes } })

async function assertLogsIn(password) {
  const client = new pg.Client({ ...app.address(), password })
  await client.connect()
  const { rows } = await client.query('select 1 as one')
  assert.deepEqual(rows, [{ one: 1 }])
  await client.end()
}

test('it prints a token that PostgreSQL takes, and nothing else', async () => {
  const { code, stdout, stderr } = await run([])
  assert.equal(code, 0, stderr)
  assert.equal(stderr, '')
  assert.match(stdout, /^\S+\n$/)
  await assertLogsIn(stdout.trim())
})

test('--json adds when it ends', async () => {
  const { token, expiresAt } = json(await run(['--json']))
  assert.ok(Date.parse(expiresAt) > Date.now())
  await assertLogsIn(token)
})

test('the endpoint can be a flag, and flags decide over variables', async () => {
  const { LAKEBASE_ENDPOINT } = app.emulator.env
  const { code } = await run(['--endpoint', LAKEBASE_ENDPOINT], { LAKEBASE_ENDPOINT: 'projects/other/branches/main/endpoints/none' })
  assert.equal(code, 0)
})

test('variables come from .env.local, then .env, and the environment decides over both', async () => {
  const there = folder()
  const { DATABRICKS_CLIENT_SECRET, DATABRICKS_HOST, ...rest } = app.emulator.env
  writeFileSync(join(there, '.env'), `DATABRICKS_CLIENT_SECRET=wrong\nDATABRICKS_HOST="${DATABRICKS_HOST}" # the workspace\n`)
  writeFileSync(join(there, '.env.local'), `export DATABRICKS_CLIENT_SECRET='${DATABRICKS_CLIENT_SECRET}'\nPGHOST=elsewhere\n`)
  assert.equal((await lakebase(['token'], { cwd: there, env: rest })).code, 0)
  const without = json(await lakebase(['token', '--no-dotenv', '--json'], { cwd: there, env: rest }))
  assert.equal(without.error.name, 'ConfigurationError')
  writeFileSync(join(there, 'other.env'), `DATABRICKS_CLIENT_SECRET=${DATABRICKS_CLIENT_SECRET}\nDATABRICKS_HOST=${DATABRICKS_HOST}`)
  assert.equal((await lakebase(['token', '--dotenv', 'other.env'], { cwd: there, env: rest })).code, 0)
  const missing = await lakebase(['token', '--dotenv', 'none.env'], { cwd: there, env: rest })
  assert.equal(missing.code, 3)
  assert.match(missing.stderr, /none\.env cannot be read: ENOENT/)
})

test('--write sets PGPASSWORD in a file and leaves everything else as it was, readable for its owner only', async () => {
  const file = join(cwd, '.env.write')
  writeFileSync(file, '# mine\r\nFOO="a # b" # c\r\n\r\nPGPASSWORD=old # the password\r\n  BAR = 1')
  const { code, stdout, stderr } = await run(['--write', '.env.write'])
  assert.equal(code, 0, stderr)
  assert.equal(stdout, '')
  assert.match(stderr, /^\.env\.write: PGPASSWORD set, good until \d{4}-/)
  const text = readFileSync(file, 'utf8')
  const [, token] = /PGPASSWORD=(\S+)/.exec(text)
  assert.equal(text, `# mine\r\nFOO="a # b" # c\r\n\r\nPGPASSWORD=${token} # the password\r\n  BAR = 1`)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assertHidden([token, ...secretsOf(app.emulator)], stderr)
  await assertLogsIn(token)
})

test('--write makes a file that is not there, and --name chooses the variable', async () => {
  const { code } = await run(['--write', 'new.env', '--name', 'DB_TOKEN'])
  assert.equal(code, 0)
  await assertLogsIn(/^DB_TOKEN=(\S+)\n$/.exec(readFileSync(join(cwd, 'new.env'), 'utf8'))[1])
})

test('--workspace sets DATABRICKS_TOKEN to what the Databricks CLI gives, whatever old token is there', async () => {
  const personal = app.emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN
  const expiry = new Date(Date.now() + 3_600_000).toISOString()
  const cli = program('databricks', `echo '{"access_token":"${personal}","token_type":"Bearer","expiry":"${expiry}"}'`)
  const file = join(cwd, '.env.workspace')
  writeFileSync(file, 'DATABRICKS_TOKEN=dapi-old\nX=1\n')
  const { code, stderr } = await run(['--workspace', '--write', '.env.workspace', '--dotenv', '.env.workspace'], { PATH: cli.path })
  assert.equal(code, 0, stderr)
  assert.equal(readFileSync(file, 'utf8'), `DATABRICKS_TOKEN=${personal}\nX=1\n`)
  assert.ok(cli.calls().some((call) => call.startsWith('auth token')))
  assertHidden([personal], stderr)
})

for (const [what, changes, code, name] of [
  ['variables are missing', { DATABRICKS_HOST: undefined }, 3, 'ConfigurationError'],
  ['the secret is wrong', { DATABRICKS_CLIENT_SECRET: 'dose-wrong-wrong-wrong' }, 4, 'AuthenticationError'],
  ['nothing listens', { DATABRICKS_HOST: 'https://localhost:9' }, 5, 'ConnectionError'],
]) {
  test(`where ${what}, the exit code is ${code}, and no secret shows`, async () => {
    const plain = await run([], changes)
    assert.equal(plain.code, code, plain.stderr)
    assert.equal(plain.stdout, '')
    assert.match(plain.stderr, /^error /)
    const { error } = json(await run(['--json'], changes))
    assert.equal(error.name, name)
    assertHidden(['dose-wrong-wrong-wrong', ...secretsOf(app.emulator)], plain.stderr + JSON.stringify(error))
  })
}

test('wrong arguments end with 2 and name what is right', async () => {
  const { code, stderr } = await run(['--endpiont', 'x'])
  assert.equal(code, 2)
  assert.match(stderr, /unknown option '--endpiont'[\s\S]*--endpoint/)
  const { error } = json(await run(['--json', 'extra']))
  assert.equal(error.code, 'USAGE')
})
