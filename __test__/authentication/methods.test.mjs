// Every way to authenticate that a platform provides: a pool logs in, by exactly the requests that the platform's documentation names.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const WORKSPACE = '2ff814a6-3304-4ab8-85cb-cd0e6f879c1d'
const CONFIG = '/.well-known/databricks-config'
const ACCOUNTS = 'accounts.cloud.databricks.com'
const RESOURCE = '/subscriptions/b5d0a5c1-0000-4000-8000-000000000001/resourceGroups/g/providers/Microsoft.Databricks/workspaces/emulator'
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
  assert.deepEqual([method, calls.length], ['github-oidc', 3])
  const audience = `${process.env.DATABRICKS_HOST}/oidc/v1/token`
  assert.deepEqual([calls[0].path, calls[0].headers.authorization], [CONFIG, undefined])
  assert.deepEqual(calls[1].query, { 'api-version': '2.0', audience })
  assert.equal(calls[1].headers.authorization, `Bearer ${process.env.ACTIONS_ID_TOKEN_REQUEST_TOKEN}`)
  const [form, claims] = exchangeOf(calls[2])
  assert.deepEqual([form, claims.aud], [exchanged(), audience])
})

test('the audience is the one that the workspace names', async () => {
  app.emulator.faults.api({ kind: 'malformed', path: CONFIG, body: JSON.stringify({ token_federation_default_oidc_audiences: ['', 'account-1', 'other'] }) })
  const { calls } = await login({ auth: 'github-oidc' })
  assert.equal(calls[1].query.audience, 'account-1')
})

for (const [what, fault] of [
  ['does not serve', { kind: 'status', status: 404 }],
  ['limits', { kind: 'status', status: 429, retryAfterSeconds: 9 }],
  ['answers wrongly', { kind: 'malformed', body: '{"token_federation_default_oidc_audiences":5}' }],
  ['says nothing in', { kind: 'malformed', body: '{}' }],
]) {
  test(`a workspace that ${what} its configuration: the audience is the token endpoint`, async () => {
    app.emulator.faults.api({ ...fault, path: CONFIG })
    const { calls } = await login({ auth: 'github-oidc' })
    assert.equal(calls[1].query.audience, `${process.env.DATABRICKS_HOST}/oidc/v1/token`)
  })
}

test('discoveryUrl (DATABRICKS_DISCOVERY_URL): the token endpoint of that document is used', async () => {
  const path = '/elsewhere/.well-known/oauth-authorization-server'
  app.emulator.faults.api({ kind: 'malformed', path, body: JSON.stringify({ token_endpoint: `${app.emulator.env.DATABRICKS_HOST}/oidc/accounts/a-1/v1/token` }) })
  const { calls } = await login({ auth: 'm2m' }, { DATABRICKS_DISCOVERY_URL: `${app.emulator.env.DATABRICKS_HOST}${path}` })
  assert.deepEqual(calls.map(({ path }) => path), [path, '/oidc/accounts/a-1/v1/token'])
  assert.equal(calls[0].headers.authorization, undefined)
})

test('client credentials at the host of an account', async () => {
  // The emulator's proxy leads every name to it; the workspace API is not served by a real account host.
  const { HTTPS_PROXY } = app.emulator.envFor({ auth: 'azure-client-secret' })
  const { calls } = await login({ auth: 'm2m' }, { HTTPS_PROXY, DATABRICKS_HOST: `https://${ACCOUNTS}`, DATABRICKS_ACCOUNT_ID: 'a-1' })
  assert.deepEqual(calls.map(({ host, path }) => [host, path]), [[ACCOUNTS, '/oidc/accounts/a-1/v1/token']])
  assert.match(calls[0].headers.authorization, /^Basic /)
})

test('a workspace whose tokens the host of its account issues', async () => {
  const { HTTPS_PROXY } = app.emulator.envFor({ auth: 'azure-client-secret' })
  app.emulator.faults.api({ kind: 'status', status: 404, path: '/oidc/v1/token' })
  const discovery = '/oidc/.well-known/oauth-authorization-server'
  app.emulator.faults.api({ kind: 'malformed', path: discovery, body: JSON.stringify({ token_endpoint: `https://${ACCOUNTS}/oidc/accounts/a-1/v1/token` }) })
  const { calls } = await login({ auth: 'm2m' }, { HTTPS_PROXY })
  assert.deepEqual(calls.map(({ path }) => path), ['/oidc/v1/token', discovery, '/oidc/accounts/a-1/v1/token'])
  assert.equal(calls[2].host, ACCOUNTS)
})

test('tokenAudience (DATABRICKS_TOKEN_AUDIENCE) is the audience', async () => {
  const { calls } = await login({ auth: 'github-oidc' }, { DATABRICKS_TOKEN_AUDIENCE: 'https://audience.example' })
  assert.equal(calls[0].query.audience, 'https://audience.example')
  assert.ok(!calls.some(({ path }) => path === CONFIG))
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
  const { calls, credential } = await login({ auth: 'azure-client-secret' }, { DATABRICKS_AZURE_RESOURCE_ID: RESOURCE })
  assert.deepEqual(calls.map(({ form }) => form.resource).sort(), [WORKSPACE, 'https://management.core.windows.net/'].sort())
  assert.equal(credential.headers['x-databricks-azure-workspace-resource-id'], RESOURCE)
  assert.ok(credential.headers['x-databricks-azure-sp-management-token'])
})

for (const [cloud, azureEnvironment, manager, host] of [
  ['public', undefined, 'management.azure.com', 'adb-6051921418418893.3.azuredatabricks.net'],
  ['us-government', 'USGovernment', 'management.usgovcloudapi.net', 'adb-6051921418418893.3.databricks.azure.us'],
  ['china', 'china', 'management.chinacloudapi.cn', 'adb-6051921418418893.3.databricks.azure.cn'],
]) {
  test(`azureResourceId without a host in the cloud ${cloud}: the Resource Manager tells the workspace's URL, once`, async () => {
    const changes = { DATABRICKS_HOST: undefined, DATABRICKS_AZURE_RESOURCE_ID: RESOURCE, ARM_ENVIRONMENT: azureEnvironment }
    const { calls, credential } = await login({ auth: 'azure-client-secret', cloud }, changes)
    const asked = calls.filter((call) => call.host === manager)
    assert.deepEqual(asked.map(({ method, path, query }) => [method, path, query]), [['GET', RESOURCE, { 'api-version': '2018-04-01' }]])
    const resources = calls.map(({ form }) => form.resource).filter(Boolean)
    assert.deepEqual([resources.length, new Set(resources).size], [3, 3], 'for the workspace, for managing it, for the Resource Manager')
    assert.ok(resources.includes(WORKSPACE) && resources.includes(`https://${manager}/`))
    assert.equal(credential.host, host)
    assert.equal(credential.headers['x-databricks-azure-workspace-resource-id'], RESOURCE)
    app.pool().clearTokenCache()
    await getToken()
    assert.equal(app.requests.filter((call) => call.host.startsWith(manager)).length, 1)
  })
}

test('azureResourceId and azure-msi are enough', async () => {
  const { method, credential } = await login({ auth: 'azure-msi' }, { DATABRICKS_HOST: undefined, DATABRICKS_AZURE_RESOURCE_ID: RESOURCE })
  assert.deepEqual([method, credential.host], ['azure-msi', 'adb-6051921418418893.3.azuredatabricks.net'])
})

test('what is not given is looked up at the workspace that Azure tells', async () => {
  const changes = { DATABRICKS_HOST: undefined, DATABRICKS_AZURE_RESOURCE_ID: RESOURCE, PGHOST: undefined, PGDATABASE: undefined }
  app.environment(changes, { auth: 'azure-client-secret' })
  assert.equal((await app.pool({ port: app.emulator.ports.database }).query('select 1 as one')).rows[0].one, 1)
})

test('without azureTenantId the workspace tells its directory, once', async () => {
  const tenant = app.emulator.envFor({ auth: 'azure-client-secret' }).ARM_TENANT_ID
  const { calls } = await login({ auth: 'azure-client-secret' }, { ARM_TENANT_ID: undefined })
  assert.deepEqual(calls.map(({ method, path }) => [method, path]), [['GET', '/aad/auth'], ['POST', `/${tenant}/oauth2/token`]])
  assert.equal(calls[0].headers.authorization, undefined)
  app.pool().clearTokenCache()
  await getToken()
  assert.equal(app.requests.filter(({ path }) => path === '/aad/auth').length, 1)
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

test("google-credentials: the service account's key signs for an ID token, which the workspace takes", async () => {
  const { method, calls, credential } = await login({ auth: 'google-credentials' })
  assert.deepEqual([method, calls.length], ['google-credentials', 1])
  const [{ method: verb, host, path, form: { assertion, ...form } }] = calls
  assert.deepEqual([verb, host, path, form], ['POST', 'oauth2.googleapis.com', '/token', { grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' }])
  const { iat, exp, ...claims } = JSON.parse(Buffer.from(assertion.split('.')[1], 'base64url'))
  assert.deepEqual(claims, { iss: 'lakebase@emulator.iam.gserviceaccount.com', aud: 'https://oauth2.googleapis.com/token', target_audience: process.env.DATABRICKS_HOST })
  assert.equal(exp - iat, 3600)
  assert.equal(credential.headers['x-databricks-gcp-sa-access-token'], undefined)
})

test('google-credentials takes the path of the file as well', async () => {
  const file = join(dirname(app.emulator.caFile), 'key.json')
  writeFileSync(file, app.emulator.envFor({ auth: 'google-credentials' }).GOOGLE_CREDENTIALS)
  assert.equal((await login({ auth: 'google-credentials' }, { GOOGLE_CREDENTIALS: file })).method, 'google-credentials')
})

for (const [who, content] of [
  ['a user', undefined],
  ['another service account', () => app.emulator.envFor({ auth: 'google-credentials' }).GOOGLE_CREDENTIALS],
]) {
  test(`google-id: ${who} who is logged in acts as the service account`, async () => {
    const file = join(dirname(app.emulator.caFile), 'login.json')
    if (content) writeFileSync(file, content())
    const { method, calls } = await login({ auth: 'google-id' }, content && { GOOGLE_APPLICATION_CREDENTIALS: file })
    assert.deepEqual([method, calls.map(({ host }) => host)], ['google-id', ['oauth2.googleapis.com', 'iamcredentials.googleapis.com']])
    assert.equal(calls[1].path, '/v1/projects/-/serviceAccounts/lakebase@emulator.iam.gserviceaccount.com:generateIdToken')
    assert.match(calls[1].headers.authorization, /^Bearer ya29\./)
  })
}

test('google-id finds the login that gcloud has kept', async () => {
  const file = app.emulator.envFor({ auth: 'google-id' }).GOOGLE_APPLICATION_CREDENTIALS
  const { method } = await login({ auth: 'google-id' }, { GOOGLE_APPLICATION_CREDENTIALS: undefined, CLOUDSDK_CONFIG: dirname(file) })
  assert.equal(method, 'google-id')
})

test('the same options as code', async () => {
  const { DATABRICKS_HOST: databricksHost, ARM_CLIENT_ID, ARM_TENANT_ID, ARM_CLIENT_SECRET, HTTPS_PROXY } = app.emulator.envFor({ auth: 'azure-client-secret' })
  const options = { databricksHost, azureClientId: ARM_CLIENT_ID, azureTenantId: ARM_TENANT_ID, azureClientSecret: ARM_CLIENT_SECRET }
  const { method } = await login({ auth: 'm2m' }, { HTTPS_PROXY }, options)
  assert.equal(method, 'azure-client-secret', 'options decide over the variables of another family')
})
