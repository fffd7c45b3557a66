// databricks-cli: whoever is logged in with the Databricks CLI. Its stand-ins are shell scripts.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { program } from '../support/programs.mjs'
import { assertHidden, shown } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const { PATH, HOME } = process.env
afterEach(() => Object.assign(process.env, { PATH, HOME }))
const skip = process.platform === 'win32'

/** Nothing but the workspace and a program in PATH. */
function laptop(cli, changes = {}) {
  app.environment({ DATABRICKS_CLIENT_ID: undefined, DATABRICKS_CLIENT_SECRET: undefined, PGUSER: 'developer@example.com', ...changes })
  process.env.HOME = '/nonexistent'
  process.env.PATH = cli ? cli.path : '/nonexistent'
}

const answer = (fields = {}) => {
  const { DATABRICKS_TOKEN: access_token } = app.emulator.envFor({ auth: 'pat' })
  const expiry = new Date(Date.now() + 3_600_000).toISOString()
  return `echo '${JSON.stringify({ access_token, token_type: 'Bearer', expiry, ...fields })}'`
}

test('the CLI is run with the host, and its token is used', { skip }, async () => {
  const cli = program('databricks', answer())
  laptop(cli)
  const pool = app.pool()
  const methods = []
  pool.on('token', ({ method }) => methods.push(method))
  const { rows } = await pool.query('select current_user as user')
  assert.deepEqual([rows[0].user, methods], ['developer@example.com', ['databricks-cli']])
  assert.deepEqual(cli.calls(), [`auth token --host ${process.env.DATABRICKS_HOST}`])
})

test('databricksCliPath (DATABRICKS_CLI_PATH) names it', { skip }, async () => {
  const cli = program('another', answer())
  laptop(undefined, { DATABRICKS_CLI_PATH: cli.file })
  assert.ok(await getToken())
  assert.equal(cli.calls().length, 1)
})

test('no argument and no variable of ours is a secret, and there is no input to wait for', { skip }, async () => {
  const cli = program('databricks', `read line && exit 7\n${answer()}`)
  laptop(cli)
  assert.ok(await getToken())
})

test('a CLI that is not logged in: its reason, without what looks like a token, and the command to run', { skip }, async () => {
  const token = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJlbXVsYXRvciJ9.c2lnbmF0dXJl'
  const cli = program('databricks', `echo 'Error: no login for this host ${token}' >&2; exit 1`)
  laptop(cli)
  const error = await failureOf(getToken())
  assert.equal(error.name, 'AuthenticationError')
  assert.match(error.message, /databricks-cli: `databricks auth token --host .*ended with exit code 1: Error: no login for this host \[redacted\]/)
  assert.match(error.hint, /databricks auth login --host/)
  assertHidden([token], shown(error))
})

test('one that asks a question gets no answer', { skip }, async () => {
  laptop(program('databricks', 'printf "Host: " >&2; read host || { echo "no terminal" >&2; exit 2; }'))
  assert.match((await failureOf(getToken())).message, /exit code 2: Host: no terminal/)
})

test('one that never ends is stopped at the time limit', { skip }, async () => {
  laptop(program('databricks', 'exec sleep 1000'))
  const pool = app.pool({ connectionTimeoutMillis: 1_000 })
  const error = await failureOf(pool.query('select 1'))
  assert.match(error.message, /databricks-cli: .* did not end in time/)
  assert.equal(error.code, 'ETIMEDOUT')
})

for (const [what, script] of [
  ['no JSON', 'echo hello'],
  ['JSON of another shape', 'echo "{\\"access_token\\": [1]}"'],
  ['a megabyte without an end', 'head -c 1000000 /dev/zero | tr "\\0" x'],
  ['nothing', 'true'],
  ['an expiry that is no time', 'echo \'{"access_token":"some-token-0123456789","expiry":"soon"}\''],
]) {
  test(`one that writes ${what}: an error that names it`, { skip }, async () => {
    laptop(program('databricks', script))
    const error = await failureOf(getToken())
    assert.match(error.message, /databricks-cli: `databricks auth token/)
    assert.equal(error.code, 'INVALID_RESPONSE')
    assertHidden(['some-token-0123456789'], shown(error))
    })
}

test('the old CLI of another language is not run: it is named at once', { skip }, async () => {
  const cli = program('databricks', answer(), { size: 1000 })
  laptop(cli)
  const error = await failureOf(getToken())
  assert.equal(error.name, 'ConfigurationError')
  assert.match(error.message, /databricks-cli: .* is the old Databricks CLI/)
  assert.deepEqual(cli.calls(), [])
})

test('no CLI at all: every method is listed with why it does not apply', { skip }, async () => {
  laptop(undefined)
  const error = await failureOf(getToken())
  assert.equal(error.name, 'ConfigurationError')
  for (const line of [/pat: token \(DATABRICKS_TOKEN\) is not set/, /databricks-cli: no program `databricks` is in PATH/, /github-oidc: /, /azure-cli: the workspace is not on Azure/]) {
    assert.match(error.message, line)
  }
})
