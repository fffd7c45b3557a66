// Every way to authenticate that a platform provides: a pool logs in, by exactly the requests that the platform's documentation names.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const WORKSPACE = '2ff814a6-3304-4ab8-85cb-cd0e6f879c1d'
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'

/** Logs in; resolves with the method's name and the calls before the one for the credential. */
async function login(choice, changes, options) {
  app.environment(changes, choice)
  const pool = app.pool(options)
  const methods = []
  pool.on('token', ({ method }) => methods.push(method))
  const { rows } = await pool.query('select current_user as user')
  assert.equal(rows[0].user, process.env.PGUSER)
  assert.equal(methods.length, 1)
  assert.equal(app.requests.at(-1).path, '/api/2.0/postgres/credentials')
  const calls = app.requests.map(({ method, host, path, query, headers, body }) => {
    const form = Object.fromEntries(new URLSearchParams(body))
    return { method, host, path, query: Object.fromEntries(new URLSearchParams(query)), headers, form }
  })
  return { method: methods[0], calls: calls.slice(0, -1), credential: calls.at(-1) }
}

/** The form of a token exchange, and the token in it. */
function exchangeOf({ method, path, headers, form }) {
  assert.deepEqual([method, path, headers.authorization], ['POST', '/oidc/v1/token', undefined])
  const { subject_token: token, ...rest } = form
  assert.equal(token.split('.').length, 3)
  return [rest, JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))]
}
const exchanged = () => ({ grant_type: EXCHANGE, subject_token_type: 'urn:ietf:params:oauth:token-type:jwt', scope: 'all-apis', client_id: process.env.PGUSER })

test('a fixed token', async () => {
  const { method, calls, credential } = await login({ auth: 'pat' })
  assert.deepEqual([method, calls], ['pat', []])
  assert.equal(credential.headers.authorization, `Bearer ${process.env.DATABRICKS_TOKEN}`)
})

test('client credentials go as HTTP Basic', async () => {
  const { method, calls } = await login({ auth: 'm2m' })
  assert.equal(method, 'oauth-m2m')
  const { DATABRICKS_CLIENT_ID: id, DATABRICKS_CLIENT_SECRET: secret } = process.env
  const [{ headers, form }] = calls
  assert.equal(headers.authorization, `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`)
  assert.deepEqual([calls.length, form], [1, { grant_type: 'client_credentials', scope: 'all-apis' }])
})

for (const [auth, issuer] of [
  ['env-oidc', 'https://issuer.example'],
  ['file-oidc', 'https://issuer.example'],
  ['vercel-oidc', 'https://oidc.vercel.com/emulator'],
]) {
  test(`${auth}: the token that is at hand is exchanged`, async () => {
    const { method, calls } = await login({ auth })
    assert.deepEqual([method, calls.length], [auth, 1])
    const [form, claims] = exchangeOf(calls[0])
    assert.deepEqual(form, exchanged())
    assert.equal(claims.iss, issuer)
  })
}

test('github-oidc: the job asks for a token whose audience is the token endpoint', async () => {
  const { method, calls } = await login({ auth: 'github-oidc' })
  assert.deepEqual([method, calls.length], ['github-oidc', 2])
  const audience = `${process.env.DATABRICKS_HOST}/oidc/v1/token`
  assert.deepEqual(calls[0].query, { 'api-version': '2.0', audience })
  assert.equal(calls[0].headers.authorization, `Bearer ${process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}`)
  const [form, claims] = exchangeOf(calls[1])
  assert.deepEqual([form, claims.aud], [exchanged(), audience])
})

test('tokenAudience (DATABRICKS_TOKEN_AUDIENCE) is the audience', async () => {
  const { calls } = await login({ auth: 'github-oidc' }, { DATABRICKS_TOKEN_AUDIENCE: 'https://audience.example' })
  assert.equal(calls[0].query.audience, 'https://audience.example')
})

test('azure-devops-oidc: the pipeline asks for its token', async () => {
  const { method, calls } = await login({ auth: 'azure-devops-oidc' })
  assert.deepEqual([method, calls.length], ['azure-devops-oidc', 2])
  const { SYSTEM_TEAMPROJECTID: project, SYSTEM_PLANID: plan, SYSTEM_JOBID: job } = process.env
  const [{ method: verb, path, query, headers }] = calls
  assert.deepEqual([verb, path], ['POST', `/azure-devops/${project}/_apis/distributedtask/hubs/build/plans/${plan}/jobs/${job}/oidctoken`])
  assert.deepEqual(query, { 'api-version': '7.2-preview.1' })
  assert.equal(headers.authorization, `Bearer ${process.env.SYSTEM_ACCESSTOKEN}`)
  assert.deepEqual(exchangeOf(calls[1])[0], exchanged())
})

test('without a client id the policy is the account\'s', async () => {
  const user = 'developer@example.com'
  app.environment({ DATABRICKS_CLIENT_ID: undefined, DATABRICKS_OIDC_TOKEN: app.emulator.idToken({ subject: user }), PGUSER: user }, { auth: 'env-oidc' })
  const { rows } = await app.pool().query('select current_user as user')
  assert.equal(rows[0].user, user)
  assert.equal(new URLSearchParams(app.requests[0].body).has('client_id'), false)
})

test('metadata-service: the service on this machine is asked, with its two headers', async () => {
  const { method, calls } = await login({ auth: 'metadata-service' })
  assert.deepEqual([method, calls.length], ['metadata-service', 1])
  const { headers } = calls[0]
  assert.deepEqual([headers['x-databricks-metadata-version'], headers['x-databricks-host']], ['1', process.env.DATABRICKS_HOST])
})

for (const [cloud, login_host, zone] of [
  ['public', 'login.microsoftonline.com', '.azuredatabricks.net'],
  ['us-government', 'login.microsoftonline.us', '.databricks.azure.us'],
  ['china', 'login.chinacloudapi.cn', '.databricks.azure.cn'],
]) {
  test(`azure-client-secret in the cloud ${cloud}`, async () => {
    const { method, calls, credential } = await login({ auth: 'azure-client-secret', cloud })
    const { ARM_TENANT_ID: tenant, ARM_CLIENT_ID: client_id, ARM_CLIENT_SECRET: client_secret } = process.env
    assert.deepEqual([method, calls.length], ['azure-client-secret', 1])
    const [{ method: verb, host, path, form }] = calls
    assert.deepEqual([verb, host, path], ['POST', login_host, `/${tenant}/oauth2/token`])
    assert.deepEqual(form, { grant_type: 'client_credentials', client_id, client_secret, resource: WORKSPACE })
    assert.ok(credential.host.endsWith(zone))
    assert.equal(credential.headers['x-databricks-azure-sp-management-token'], undefined)
  })
}

test('azureResourceId: the workspace gets a token for managing it as well', async () => {
  const resource = '/subscriptions/b5d0a5c1-0000-4000-8000-000000000001/resourceGroups/g/providers/Microsoft.Databricks/workspaces/emulator'
  const { calls, credential } = await login({ auth: 'azure-client-secret' }, { DATABRICKS_AZURE_RESOURCE_ID: resource })
  assert.deepEqual(calls.map(({ form }) => form.resource).sort(), [WORKSPACE, 'https://management.core.windows.net/'].sort())
  assert.equal(credential.headers['x-databricks-azure-workspace-resource-id'], resource)
  assert.ok(credential.headers['x-databricks-azure-sp-management-token'])
})

test('azure-msi on App Service', async () => {
  const { method, calls } = await login({ auth: 'azure-msi' })
  assert.deepEqual([method, calls.length], ['azure-msi', 1])
  const [{ path, query, headers }] = calls
  assert.deepEqual([path, query], ['/msi/token', { 'api-version': '2019-08-01', resource: WORKSPACE }])
  assert.equal(headers['x-identity-header'], process.env.IDENTITY_HEADER)
})

test('azure-msi needs no setting where Azure provides it, and takes the id of a user-assigned identity', async () => {
  const { ARM_CLIENT_ID } = app.emulator.envFor({ auth: 'azure-client-secret' })
  const { method, calls } = await login({ auth: 'azure-msi' }, { ARM_USE_MSI: undefined, AZURE_CLIENT_ID: ARM_CLIENT_ID })
  assert.deepEqual([method, calls[0].query.client_id], ['azure-msi', ARM_CLIENT_ID])
})

for (const [auth, issuer] of [
  ['azure-workload-identity', 'https://oidc.prod-aks.azure.com/emulator/'],
  ['github-oidc-azure', 'https://token.actions.githubusercontent.com'],
]) {
  test(`${auth}: Entra gets the platform's token in place of a secret`, async () => {
    const { method, calls } = await login({ auth })
    assert.equal(method, auth)
    const { client_assertion: assertion, ...form } = calls.at(-1).form
    const application = app.emulator.envFor({ auth: 'azure-client-secret' })
    assert.equal(calls.at(-1).path, `/${application.ARM_TENANT_ID}/oauth2/token`)
    assert.deepEqual(form, {
      grant_type: 'client_credentials',
      client_id: application.ARM_CLIENT_ID,
      resource: WORKSPACE,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    })
    const claims = JSON.parse(Buffer.from(assertion.split('.')[1], 'base64url'))
    assert.deepEqual([claims.iss, claims.aud], [issuer, 'api://AzureADTokenExchange'])
  })
}

test('azure-key-vault: the OAuth secret comes from the vault', async () => {
  const { method, calls } = await login({ auth: 'azure-key-vault' })
  assert.deepEqual([method, calls.map(({ path }) => path)], ['azure-key-vault', ['/msi/token', '/secrets/databricks-client-secret', '/oidc/v1/token']])
  assert.equal(calls[0].query.resource, 'https://vault.azure.net')
  assert.equal(calls[1].host, 'emulator-vault.vault.azure.net')
  assert.deepEqual(calls[1].query, { 'api-version': '7.4' })
})

test('the same options as code', async () => {
  const { DATABRICKS_HOST: databricksHost, ARM_CLIENT_ID, ARM_TENANT_ID, ARM_CLIENT_SECRET, HTTPS_PROXY } = app.emulator.envFor({ auth: 'azure-client-secret' })
  const options = { databricksHost, azureClientId: ARM_CLIENT_ID, azureTenantId: ARM_TENANT_ID, azureClientSecret: ARM_CLIENT_SECRET }
  const { method } = await login({ auth: 'm2m' }, { HTTPS_PROXY }, options)
  assert.equal(method, 'azure-client-secret', 'options decide over the variables of another family')
})
