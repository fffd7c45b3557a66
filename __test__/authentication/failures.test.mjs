// Each way to authenticate fails by name, with the cause and the next step, in bounded time and memory, and without a secret.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { chmodSync, writeFileSync } from 'node:fs'
import { afterEach } from 'node:test'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { assertHidden, shown } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const skip = process.platform === 'win32'
const { PATH, HOME } = process.env
afterEach(() => Object.assign(process.env, { PATH, HOME }))

/** The error of a pool that cannot authenticate; no secret of its environment shows. */
async function refusal(choice, changes, options) {
  app.environment(changes, choice)
  process.env.PATH = '/nonexistent'
  const pool = app.pool({ connectionTimeoutMillis: 2_000, ...options })
  const error = await failureOf(pool.query('select 1'))
  const secrets = ['DATABRICKS_CLIENT_SECRET', 'ARM_CLIENT_SECRET', 'IDENTITY_HEADER', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'SYSTEM_ACCESSTOKEN', 'DATABRICKS_OIDC_TOKEN', 'VERCEL_OIDC_TOKEN', 'DATABRICKS_TOKEN', 'GOOGLE_CREDENTIALS']
  const hidden = secrets.map((name) => (name === 'GOOGLE_CREDENTIALS' ? /"private_key": ?"([^"]*)/.exec(process.env[name])?.[1] : process.env[name]))
  assertHidden(hidden.filter(Boolean), shown(error))
  assert.ok(error.hint, error.stack)
  return error
}
const key = (changes) => JSON.stringify({ ...JSON.parse(app.emulator.envFor({ auth: 'google-credentials' }).GOOGLE_CREDENTIALS), ...changes })
const expired = () => app.emulator.idToken({ lifetimeMillis: -60_000 })

for (const [what, choice, changes, message, hint] of [
  ['a wrong secret', { auth: 'm2m' }, { DATABRICKS_CLIENT_SECRET: 'dose-wrong-0123456789' }, /^oauth-m2m: POST \/oidc\/v1\/token .* 401/, /at most 730 days/],
  ['a revoked token', { auth: 'pat' }, { DATABRICKS_TOKEN: 'dapi-wrong-0123456789' }, /401/, /check DATABRICKS_TOKEN/],
  ['an expired assertion', { auth: 'env-oidc' }, { DATABRICKS_OIDC_TOKEN: expired }, /^env-oidc: .*subject_token has expired/, /has expired: see that a new one is given/],
  ['an assertion that is no token', { auth: 'env-oidc' }, { DATABRICKS_OIDC_TOKEN: 'no-token-at-all-0123456789' }, /^env-oidc: .* 400/, /no federation policy of service principal .* takes the token from DATABRICKS_OIDC_TOKEN/],
  ['a token file that is not there', { auth: 'file-oidc' }, { DATABRICKS_OIDC_TOKEN_FILEPATH: '/nonexistent/token' }, /^file-oidc: the token file "\/nonexistent\/token" cannot be read/, /check the path/],
  ['a job without permission', { auth: 'github-oidc' }, { ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'ghs_wrong-0123456789' }, /^github-oidc: GET \/github\/token .* 401/, /id-token: write/],
  ['a wrong pipeline token', { auth: 'azure-devops-oidc' }, { SYSTEM_ACCESSTOKEN: 'ado-wrong-0123456789' }, /^azure-devops-oidc: POST .*401/, /System.AccessToken/],
  ['a wrong secret of Entra', { auth: 'azure-client-secret' }, { ARM_CLIENT_SECRET: 'entra-wrong-0123456789' }, /^azure-client-secret: POST .* to login.microsoftonline.com .*AADSTS7000215/, /ARM_CLIENT_SECRET/],
  ['a wrong tenant', { auth: 'azure-client-secret' }, { ARM_TENANT_ID: 'nobody' }, /^azure-client-secret: .*AADSTS90002/, /ARM_TENANT_ID/],
  ['a wrong identity header', { auth: 'azure-msi' }, { IDENTITY_HEADER: 'wrong-header-0123456789' }, /^azure-msi: GET \/msi\/token .* 401/, /no managed identity is assigned/],
  ['an identity that is not assigned', { auth: 'azure-msi' }, { ARM_CLIENT_ID: 'nobody' }, /^azure-msi: .* 400 .*Identity not found/, /ARM_CLIENT_ID/],
  ['no federated credential', { auth: 'github-oidc-azure' }, { ARM_CLIENT_ID: 'another' }, /^github-oidc-azure: .*AADSTS700016/, /federated credential/],
  ['a metadata service for another workspace', { auth: 'metadata-service' }, { DATABRICKS_HOST: () => `https://127.0.0.1:${app.emulator.ports.api}` }, /^metadata-service: GET \/databricks\/token .* 404/, /log in where it runs/],
  ['a directory that nobody tells', { auth: 'azure-client-secret' }, { ARM_TENANT_ID: undefined, '/aad/auth': 404 }, /^azure-client-secret: the workspace does not tell the directory/, /ARM_TENANT_ID/],
  ['a resource of Azure that is not there', { auth: 'azure-client-secret' }, { DATABRICKS_HOST: undefined, DATABRICKS_AZURE_RESOURCE_ID: '/subscriptions/s/none' }, /^azure-client-secret: GET .* to management.azure.com .* 404 .*was not found/, /Reader/],
  ["a key that Google does not know", { auth: 'google-credentials' }, { GOOGLE_CREDENTIALS: () => key({ private_key_id: 'old' }) }, /^google-credentials: POST \/token to oauth2.googleapis.com .*Invalid JWT header/, /new key/],
  ['a key that is none', { auth: 'google-credentials' }, { GOOGLE_CREDENTIALS: () => key({ private_key: 'private-key-0123456789' }) }, /^google-credentials: the service account's private_key is no RSA key/, /new key/],
  ['a login in place of a key', { auth: 'google-credentials' }, { GOOGLE_CREDENTIALS: '{"type":"authorized_user"}' }, /^google-credentials: googleCredentials .* is of type "authorized_user"/, /googleServiceAccount/],
  ['credentials of Google that are no JSON', { auth: 'google-credentials' }, { GOOGLE_CREDENTIALS: '{"private_key": "private-key-0123456789"' }, /^google-credentials: .* holds no key of a service account/, /JSON file/],
  ['a service account that one may not act as', { auth: 'google-id' }, { DATABRICKS_GOOGLE_SERVICE_ACCOUNT: 'other@example.com' }, /^google-id: POST .* to iamcredentials.googleapis.com .* 404 .*Gaia id/, /Identity Token Creator/],
  ['a file of credentials that is not there', { auth: 'google-id' }, { GOOGLE_APPLICATION_CREDENTIALS: '/nonexistent/adc' }, /^google-id: the token file "\/nonexistent\/adc" cannot be read/, /check the path/],
  ['a vault that is not there', { auth: 'azure-key-vault' }, { KEY_VAULT_NAME: 'another' }, /^azure-key-vault: /, /KEY_VAULT_NAME/],
]) {
  test(what, async () => {
    const { '/aad/auth': status, ...variables } = changes
    if (status) app.emulator.faults.api({ kind: 'status', status, path: '/aad/auth' })
    const given = Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, typeof value === 'function' ? value() : value]))
    const error = await refusal(choice, given)
    assert.match(error.message, message)
    assert.match(error.hint, hint)
    assert.notEqual(error.name, 'InternalError')
  })
}

for (const [what, answer] of [
  ['another host', { properties: { workspaceUrl: 'attacker.example' } }],
  ['a path', { properties: { workspaceUrl: 'adb-1.1.azuredatabricks.net/x' } }],
  ['a name that only ends so', { properties: { workspaceUrl: 'attacker.example@adb-1.1.azuredatabricks.net' } }],
  ['nothing', { properties: {} }],
  ['wrong types', { properties: 5 }],
]) {
  test(`a Resource Manager that names ${what} as the workspace: no token goes there`, async () => {
    const resource = '/subscriptions/b5d0a5c1-0000-4000-8000-000000000001/resourceGroups/g/providers/Microsoft.Databricks/workspaces/emulator'
    app.emulator.faults.api({ kind: 'malformed', path: resource, body: JSON.stringify(answer) })
    const error = await refusal({ auth: 'azure-client-secret' }, { DATABRICKS_HOST: undefined, DATABRICKS_AZURE_RESOURCE_ID: resource })
    assert.match(error.message, /^azure-client-secret: the answer to GET \/subscriptions/)
    assert.ok(!app.requests.some(({ path }) => path.startsWith('/api/')))
  })
}

test('neither a host nor a resource of Azure, or one that is no id', async () => {
  app.environment({ DATABRICKS_HOST: undefined, DATABRICKS_AZURE_RESOURCE_ID: 'my-workspace' }, { auth: 'azure-client-secret' })
  assert.match((await failureOf(() => app.pool())).message, /azureResourceId \(DATABRICKS_AZURE_RESOURCE_ID\)[\s\S]*\/subscriptions\//)
  app.environment({ DATABRICKS_HOST: undefined, DATABRICKS_AZURE_RESOURCE_ID: '/subscriptions/s/w', DATABRICKS_AUTH_TYPE: 'oauth-m2m' })
  assert.match((await failureOf(() => app.pool())).message, /databricksHost \(DATABRICKS_HOST\)/)
  app.environment({ ARM_ENVIRONMENT: 'moon' }, { auth: 'azure-client-secret' })
  assert.match((await failureOf(() => app.pool())).message, /azureEnvironment \(ARM_ENVIRONMENT\)[\s\S]*public, usgovernment or china/)
})

test('403 by a federation policy', async () => {
  app.emulator.faults.api({ kind: 'status', status: 403, path: '/oidc/v1/token', message: 'not allowed by policy' })
  const error = await refusal({ auth: 'github-oidc' })
  assert.match(error.message, /^github-oidc: POST \/oidc\/v1\/token .* 403 Forbidden: not allowed by policy/)
  assert.match(error.hint, /no federation policy of service principal .* takes the token from GitHub Actions: compare its issuer, subject and audience/)
})

test('a workspace that does not know the identity of Entra', async () => {
  app.emulator.faults.api({ kind: 'status', status: 403, path: '/api/2.0/postgres/credentials' })
  app.emulator.faults.api({ kind: 'status', status: 401, path: '/api/2.0/postgres/credentials' })
  app.emulator.faults.clear()
  app.emulator.faults.api({ kind: 'status', status: 401, path: '/api/2.0/postgres/credentials' })
  assert.match((await refusal({ auth: 'azure-client-secret' })).hint, /add it to the workspace, or give azureResourceId/)
})

test('Key Vault that refuses: DATABRICKS_CLIENT_SECRET stands in, with a warning', async () => {
  app.environment({ DATABRICKS_CLIENT_SECRET: app.emulator.env.DATABRICKS_CLIENT_SECRET }, { auth: 'azure-key-vault' })
  app.emulator.faults.api({ kind: 'status', status: 403, path: '/secrets/databricks-client-secret' })
  const warned = once(process, 'warning')
  assert.ok(await getToken())
  const [{ message }] = await warned
  assert.match(message, /DATABRICKS_CLIENT_SECRET is used, because Key Vault emulator-vault did not give its secret/)
  assertHidden([process.env.DATABRICKS_CLIENT_SECRET, process.env.IDENTITY_HEADER], message)
})

test('Entra without a key to a vault says what to grant', async () => {
  app.emulator.faults.api({ kind: 'status', status: 403, path: '/secrets/databricks-client-secret' })
  assert.match((await refusal({ auth: 'azure-key-vault' })).hint, /Key Vault Secrets User/)
})

const answers = [
  ['truncated', { kind: 'malformed', body: '{"access_token": "eyJ' }],
  ['of wrong types', { kind: 'malformed', body: '{"access_token":{"a":1},"value":[1],"oidcToken":5,"expires_in":"x"}' }],
  ['an array', { kind: 'malformed', body: '[]' }],
  ['deeply nested', { kind: 'malformed', body: '['.repeat(100_000) }],
  ['without a life', { kind: 'malformed', body: '{"access_token":"some-token-0123456789","value":"","oidcToken":"","token_type":"Bearer","expires_in":-1}' }],
  ['of several megabytes', { kind: 'malformed', body: `{"access_token":"${'x'.repeat(4_000_000)}"}` }],
  ['byte by byte, for ever', { kind: 'drip', millis: 400 }],
  ['never', { kind: 'hang' }],
  ['a reset', { kind: 'reset' }],
]
for (const [auth, path] of [
  ['m2m', '/oidc/v1/token'],
  ['env-oidc', '/oidc/v1/token'],
  ['github-oidc', '/github/token'],
  ['azure-devops-oidc', /^\/azure-devops/],
  ['azure-client-secret', /oauth2\/token$/],
  ['azure-key-vault', /^\/secrets/],
  ['google-credentials', '/token'],
  ['google-id', /generateIdToken$/],
]) {
  test(`${auth}: answers that are none end in time, with an error that names it`, async () => {
    for (const [what, fault] of answers) {
      app.emulator.faults.api({ ...fault, path })
      const error = await refusal({ auth }, { NO_PROXY: `${auth}-${answers.findIndex(([name]) => name === what)}.invalid` }, { connectionTimeoutMillis: 600 })
      assert.ok(error.message.startsWith(`${auth === 'm2m' ? 'oauth-m2m' : auth}: `) || error.code === 'ETIMEDOUT', `${what}: ${error.message}`)
      assert.ok(['CredentialError', 'AuthenticationError', 'ConnectionError', 'TimeoutError'].includes(error.name), `${what}: ${error.name}`)
      assertHidden(['some-token-0123456789'], shown(error))
      await app.emulator.recover()
    }
  })
}

test('the metadata service: answers that are none', async () => {
  const bodies = ['', '{', '[]', '{"access_token":"some-token-0123456789"}', '{"access_token":"some-token-0123456789","expires_on":"soon"}', '{"access_token":"t k","expires_on":99999999999}', 'x'.repeat(3_000_000)]
  let body
  const server = createServer((_, response) => response.end(body)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  for (body of bodies) {
    const url = `http://localhost:${server.address().port}/${bodies.indexOf(body)}`
    const error = await refusal({ auth: 'metadata-service' }, { DATABRICKS_METADATA_SERVICE_URL: url })
    assert.match(error.message, /^metadata-service: /)
    assertHidden(['some-token-0123456789'], shown(error))
  }
  server.close()
})

test('a metadata service that is not on this machine is not called', async () => {
  app.environment({ DATABRICKS_METADATA_SERVICE_URL: 'http://metadata.example/token' }, { auth: 'metadata-service' })
  const error = await failureOf(() => app.pool())
  assert.equal(error.name, 'ConfigurationError')
  assert.match(error.message, /metadata-service: metadataServiceUrl \(DATABRICKS_METADATA_SERVICE_URL\) is no URL on this machine/)
})

test('IDENTITY_ENDPOINT that is not on this machine gets no header', async () => {
  const error = await refusal({ auth: 'azure-msi' }, { IDENTITY_ENDPOINT: 'https://attacker.example/msi/token' })
  assert.match(error.message, /^azure-msi: IDENTITY_ENDPOINT is no address of this machine/)
})

test('a token file of another user, one that is empty and one that is too large', { skip }, async () => {
  app.environment({}, { auth: 'file-oidc' })
  const { DATABRICKS_OIDC_TOKEN_FILEPATH: file } = process.env
  for (const [content, message] of [
    ['', /is empty/],
    [' \n', /is empty/],
    ['x'.repeat(70_000), /cannot be read: file too large/],
  ]) {
    writeFileSync(file, content)
    chmodSync(file, 0o600)
    assert.match((await failureOf(getToken())).message, message)
  }
})
