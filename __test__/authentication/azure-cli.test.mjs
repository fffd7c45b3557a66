// azure-cli: whoever is logged in with the Azure CLI. Its stand-ins are shell scripts.
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { program } from '../support/programs.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const { PATH, HOME } = process.env
afterEach(() => Object.assign(process.env, { PATH, HOME }))
const skip = process.platform === 'win32'
const WORKSPACE = '2ff814a6-3304-4ab8-85cb-cd0e6f879c1d'
const TOKEN = `account get-access-token --resource ${WORKSPACE} --output json`

/** A workspace on Azure and a program in PATH. */
function laptop(cli, changes = {}) {
  app.environment({ ARM_CLIENT_ID: undefined, ARM_TENANT_ID: undefined, ARM_CLIENT_SECRET: undefined, PGUSER: 'developer@example.com', ...changes }, { auth: 'azure-client-secret' })
  process.env.HOME = '/nonexistent'
  process.env.PATH = cli.path
}

const token = () => app.emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN
const answer = (fields = { expires_on: Math.floor(Date.now() / 1000) + 3600 }) => `echo '${JSON.stringify({ accessToken: token(), ...fields })}'`
const account = (user) => `if [ "$2" = show ]; then echo '${JSON.stringify({ user })}'; exit 0; fi`

test("the CLI is asked for a token for the workspace, in the workspace's directory", { skip }, async () => {
  const { ARM_TENANT_ID } = app.emulator.envFor({ auth: 'azure-client-secret' })
  const cli = program('az', `${account({ name: 'developer@example.com', type: 'user' })}\n${answer()}`)
  laptop(cli)
  const { rows } = await app.pool().query('select current_user as user')
  assert.equal(rows[0].user, 'developer@example.com')
  assert.deepEqual(cli.calls(), ['account show --output json', `${TOKEN} --tenant ${ARM_TENANT_ID}`])
})

test('a workspace that does not tell its directory: the CLI is asked without', { skip }, async () => {
  app.emulator.faults.api({ kind: 'status', status: 500, path: '/aad/auth' })
  const cli = program('az', answer())
  laptop(cli)
  assert.ok(await getToken())
  assert.deepEqual(cli.calls(), [TOKEN])
})

test('a user who manages nothing: the workspace gets the resource id without a management token', { skip }, async () => {
  const resource = '/subscriptions/s-1/resourceGroups/g/providers/Microsoft.Databricks/workspaces/emulator'
  app.emulator.faults.api({ kind: 'status', status: 500, path: '/aad/auth' })
  const cli = program('az', `case "$*" in *management*) echo no >&2; exit 1;; esac\n${answer()}`)
  laptop(cli, { DATABRICKS_AZURE_RESOURCE_ID: resource })
  // The emulator wants both headers or none: that it refuses is the point.
  assert.equal((await failureOf(getToken())).status, 403)
  const { headers } = app.requests.at(-1)
  assert.deepEqual([headers['x-databricks-azure-workspace-resource-id'], headers['x-databricks-azure-sp-management-token']], [resource, undefined])
  assert.ok(cli.calls().includes(`${TOKEN} --subscription s-1`))
})

test('in the tenant that is given, if a user is logged in', { skip }, async () => {
  const cli = program('az', `${account({ name: 'developer@example.com', type: 'user' })}\n${answer()}`)
  laptop(cli, { ARM_TENANT_ID: 'tenant-1' })
  assert.ok(await getToken())
  assert.deepEqual(cli.calls(), ['account show --output json', `${TOKEN} --tenant tenant-1`])
})

test('a managed identity has no choice of tenants', { skip }, async () => {
  const cli = program('az', `${account({ name: 'systemAssignedIdentity', type: 'servicePrincipal' })}\n${answer()}`)
  laptop(cli, { ARM_TENANT_ID: 'tenant-1' })
  assert.ok(await getToken())
  assert.deepEqual(cli.calls(), ['account show --output json', TOKEN])
})

test('a service principal that is logged in by federation is asked again without the tenant', { skip }, async () => {
  const cli = program('az', `${account({ name: 'app', type: 'servicePrincipal' })}\ncase "$*" in *--tenant*) exit 1;; esac\n${answer()}`)
  laptop(cli, { ARM_TENANT_ID: 'tenant-1' })
  assert.ok(await getToken())
  assert.deepEqual(cli.calls().slice(1), [`${TOKEN} --tenant tenant-1`, TOKEN])
})

test('versions that tell the end in local time only: the token itself tells', { skip }, async () => {
  app.emulator.faults.api({ kind: 'status', status: 404, path: '/aad/auth' })
  const jwt = app.emulator.idToken({ lifetimeMillis: 3_600_000 })
  laptop(program('az', `echo '${JSON.stringify({ accessToken: jwt, expiresOn: '2030-01-01 00:00:00.000000' })}'`))
  // The workspace does not know this one: that it was sent at all is the point.
  assert.equal((await failureOf(getToken())).status, 401)
  assert.equal(app.requests.at(-1).headers.authorization, `Bearer ${jwt}`)
})

test('one that is not logged in: its reason and the command to run', { skip }, async () => {
  laptop(program('az', 'echo "ERROR: Please run az login to setup account." >&2; exit 1'))
  const error = await failureOf(getToken())
  assert.equal(error.name, 'AuthenticationError')
  assert.match(error.message, /azure-cli: `az account show .*Please run az login/)
  assert.match(error.hint, /az login/)
})

test('after a databricks CLI that is not logged in, the Azure CLI is tried; if neither is, both are told', { skip }, async () => {
  const databricks = program('databricks', 'echo "no login" >&2; exit 1')
  const az = program('az', `${account({ name: 'developer@example.com', type: 'user' })}\n${answer()}`)
  laptop({ path: `${databricks.directory}:${az.path}` })
  assert.ok(await getToken())
  const neither = program('az', 'echo "run az login" >&2; exit 1')
  laptop({ path: `${databricks.directory}:${neither.path}` }, { NO_PROXY: 'neither.invalid' })
  const error = await failureOf(getToken())
  assert.match(error.message, /no way to authenticate worked:\n.*- databricks-cli: .*no login.*\n.*- azure-cli: .*run az login/)
})
