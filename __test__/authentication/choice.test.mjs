// Which way to authenticate is chosen: order, pins, conflicts.
import assert from 'node:assert/strict'
import { getToken, createLakebasePool } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

/** The method that a pool in this environment authenticates with. */
async function chosen(changes, choice, options) {
  app.environment(changes, choice)
  const pool = app.pool(options)
  const [method] = await Promise.all([new Promise((resolve) => pool.once('token', ({ method }) => resolve(method))), pool.query('select 1')])
  return method
}
const variables = (auth) => {
  const { PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE, LAKEBASE_ENDPOINT, NODE_EXTRA_CA_CERTS, ...rest } = app.emulator.envFor({ auth })
  return rest
}

test('a stored secret comes before what a platform provides', async () => {
  assert.equal(await chosen({ ...variables('vercel-oidc'), ...variables('github-oidc') }, { auth: 'm2m' }), 'oauth-m2m')
})

test('GitHub comes before Azure DevOps, a job before Vercel', async () => {
  assert.equal(await chosen({ ...variables('azure-devops-oidc'), ...variables('vercel-oidc') }, { auth: 'github-oidc' }), 'github-oidc')
  assert.equal(await chosen(variables('vercel-oidc'), { auth: 'azure-devops-oidc' }), 'azure-devops-oidc')
})

test('a variable that is set on purpose comes before what a platform provides', async () => {
  assert.equal(await chosen({ ...variables('github-oidc') }, { auth: 'env-oidc' }), 'env-oidc')
})

test('on Azure a job of GitHub comes before a secret', async () => {
  assert.equal(await chosen({ ARM_CLIENT_SECRET: variables('azure-client-secret').ARM_CLIENT_SECRET }, { auth: 'github-oidc-azure' }), 'github-oidc-azure')
})

test('two families are a conflict that names both and their settings', async () => {
  for (const [auth, other, names] of [
    ['m2m', 'pat', ['clientSecret (DATABRICKS_CLIENT_SECRET)', 'token (DATABRICKS_TOKEN)']],
    ['pat', 'azure-client-secret', ['token (DATABRICKS_TOKEN)', 'azureClientSecret (ARM_CLIENT_SECRET)']],
    ['env-oidc', 'file-oidc', ['DATABRICKS_OIDC_TOKEN', 'oidcTokenFile (DATABRICKS_OIDC_TOKEN_FILEPATH)']],
  ]) {
    app.environment(variables(other), { auth })
    const error = await failureOf(() => createLakebasePool())
    assert.equal(error.name, 'ConfigurationError')
    assert.match(error.message, /more than one authorization method/)
    for (const name of names) assert.ok(error.message.includes(name), `${name} in ${error.message}`)
    assert.match(error.message, /DATABRICKS_AUTH_TYPE/)
  }
})

test('authType (DATABRICKS_AUTH_TYPE) pins one', async () => {
  const both = { ...variables('pat'), ...variables('m2m') }
  assert.equal(await chosen({ ...both, DATABRICKS_AUTH_TYPE: 'pat', PGUSER: 'developer@example.com' }), 'pat')
  assert.equal(await chosen({ ...both, DATABRICKS_AUTH_TYPE: 'pat' }, undefined, { authType: 'oauth-m2m' }), 'oauth-m2m')
})

test('a pin that does not exist, or does not apply, says so', async () => {
  app.environment({ DATABRICKS_AUTH_TYPE: 'kerberos' })
  const unknown = await failureOf(getToken())
  assert.match(unknown.message, /authType \(DATABRICKS_AUTH_TYPE\): found "kerberos": expected one of auth-provider, pat, .*azure-cli/)
  app.environment({ DATABRICKS_AUTH_TYPE: 'github-oidc' })
  assert.match((await failureOf(getToken())).message, /"github-oidc", which does not apply: ACTIONS_ID_TOKEN_REQUEST_URL/)
})

test('client credentials in the form, where a server insists on it', async () => {
  const { startEmulator } = await import('lakebase-native/emulator')
  const emulator = await startEmulator({ clientAuthentication: 'form' })
  try {
    const bodies = []
    emulator.events.on('call', ({ path, body }) => path === '/oidc/v1/token' && bodies.push(Object.fromEntries(new URLSearchParams(body))))
    const { DATABRICKS_HOST: databricksHost, DATABRICKS_CLIENT_ID: clientId, DATABRICKS_CLIENT_SECRET: clientSecret } = emulator.env
    process.env.NODE_EXTRA_CA_CERTS = emulator.caFile
    assert.ok(await getToken({ databricksHost, clientId, clientSecret }))
    assert.deepEqual(bodies.at(-1), { grant_type: 'client_credentials', scope: 'all-apis', client_id: clientId, client_secret: clientSecret })
    assert.equal(bodies.length, 2)
  } finally {
    await emulator.stop()
  }
})

test('options of every method are known to Rust, and hidden where they are secret', async () => {
  const { ARM_CLIENT_SECRET, ARM_CLIENT_ID, ARM_TENANT_ID, DATABRICKS_HOST } = variables('azure-client-secret')
  const { inspect, format } = await import('node:util')
  const pool = app.pool({ databricksHost: DATABRICKS_HOST, azureClientSecret: ARM_CLIENT_SECRET, azureClientId: ARM_CLIENT_ID, azureTenantId: ARM_TENANT_ID })
  for (const text of [inspect(pool, { depth: 9 }), JSON.stringify(pool.options), format('%o', pool)]) assert.ok(!text.includes(ARM_CLIENT_SECRET))
  assert.equal(pool.options.azureClientSecret, ARM_CLIENT_SECRET, 'still there for whoever asks for it')
})
