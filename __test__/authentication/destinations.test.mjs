// Every secret goes only to the hosts that docs/authentication.md names for it, whatever the method.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const page = readFileSync(new URL('../../docs/authentication.md', import.meta.url), 'utf8')

/** The rows of the table under a heading: the first cell, and the rest of the row. */
function table(heading) {
  const [rows] = /(?:^\|.*\n)+/m.exec(page.slice(page.indexOf(`## ${heading}`)))
  return rows.trimEnd().split('\n').slice(2).map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()))
}

const methods = ['pat', 'm2m', 'env-oidc', 'file-oidc', 'vercel-oidc', 'github-oidc', 'azure-devops-oidc', 'metadata-service', 'azure-client-secret', 'azure-msi', 'azure-workload-identity', 'github-oidc-azure', 'azure-key-vault', 'google-credentials', 'google-id']

test('the page lists the methods that there are, in their order', async () => {
  app.environment({ DATABRICKS_AUTH_TYPE: 'none of them' })
  const { problems } = await failureOf(getToken())
  const names = /one of (.*)/.exec(problems.find(({ option }) => option === 'authType').expected)[1].split(', ')
  assert.deepEqual(table('Which way is used').map(([name]) => name.replaceAll('`', '')), names)
})

/** The secrets of an environment by the table's names for them, and the hosts each may go to. */
function secretsOf(environment, requests) {
  const workspace = new URL(environment.DATABRICKS_HOST).host
  const api = new URL(app.emulator.env.DATABRICKS_HOST).host
  const entra = ['login.microsoftonline.com']
  const vault = ['emulator-vault.vault.azure.net']
  const secrets = [
    [environment.DATABRICKS_TOKEN, [workspace]],
    [environment.DATABRICKS_CLIENT_SECRET, [workspace]],
    [environment.ACTIONS_ID_TOKEN_REQUEST_TOKEN, [api]],
    [environment.SYSTEM_ACCESSTOKEN, [api]],
    [environment.ARM_CLIENT_SECRET, entra],
    [environment.IDENTITY_HEADER, [new URL(environment.IDENTITY_ENDPOINT ?? 'http://none').host]],
    [environment.DATABRICKS_OIDC_TOKEN, [workspace]],
    [environment.VERCEL_OIDC_TOKEN, [workspace]],
  ]
  if (environment.GOOGLE_CREDENTIALS) secrets.push([JSON.parse(environment.GOOGLE_CREDENTIALS).private_key, []])
  if (environment.GOOGLE_APPLICATION_CREDENTIALS) {
    const { refresh_token, client_secret } = JSON.parse(readFileSync(environment.GOOGLE_APPLICATION_CREDENTIALS, 'utf8'))
    for (const secret of [refresh_token, client_secret]) secrets.push([secret, ['oauth2.googleapis.com']])
  }
  if (environment.DATABRICKS_OIDC_TOKEN_FILEPATH) secrets.push([readFileSync(environment.DATABRICKS_OIDC_TOKEN_FILEPATH, 'utf8'), [workspace]])
  if (environment.AZURE_FEDERATED_TOKEN_FILE) secrets.push([readFileSync(environment.AZURE_FEDERATED_TOKEN_FILE, 'utf8'), entra])
  for (const { host, path, headers } of requests) {
    const token = /^Bearer (.*)/.exec(headers.authorization ?? '')?.[1]
    if (token && path.startsWith('/secrets/')) secrets.push([token, vault])
    if (token && path.endsWith(':generateIdToken')) secrets.push([token, ['iamcredentials.googleapis.com']])
    if (token && path.startsWith('/api/')) secrets.push([token, [workspace]])
    assert.ok(!headers.cookie && !headers.referer, `${host}${path}`)
  }
  return secrets.filter(([secret]) => secret)
}

for (const auth of methods) {
  test(`${auth}: each secret is seen by its own hosts only`, async () => {
    app.environment({}, { auth })
    const environment = { ...process.env }
    await app.pool().query('select 1')
    const requests = [...app.requests]
    const secrets = secretsOf(environment, requests)
    assert.ok(requests.length > 0 && secrets.length > 0)
    for (const [secret, hosts] of secrets) {
      // A secret may be in a form or in HTTP Basic, too.
      const forms = [secret, encodeURIComponent(secret), Buffer.from(`${environment.DATABRICKS_CLIENT_ID}:${secret}`).toString('base64')]
      for (const { host, path, query, headers, body } of requests) {
        const sent = [path, query, body, ...Object.values(headers)].join('\n')
        if (forms.some((form) => sent.includes(form))) assert.ok(hosts.includes(host), `a secret of ${auth} went to ${host}${path}`)
      }
      assert.ok(!requests.some(({ path, query }) => `${path}?${query}`.includes(secret)), 'no secret is in a URL')
    }
  })
}

test("a workspace that only Azure's resource names: the Resource Manager gets its own token, the workspace's goes to the workspace", async () => {
  const resource = '/subscriptions/b5d0a5c1-0000-4000-8000-000000000001/resourceGroups/g/providers/Microsoft.Databricks/workspaces/emulator'
  app.environment({ DATABRICKS_HOST: undefined, DATABRICKS_AZURE_RESOURCE_ID: resource }, { auth: 'azure-client-secret' })
  await app.pool().query('select 1')
  const bearers = app.requests.filter(({ headers }) => headers.authorization).map(({ host, headers }) => [host, headers.authorization])
  assert.deepEqual(bearers.map(([host]) => host), ['management.azure.com', 'adb-6051921418418893.3.azuredatabricks.net'])
  assert.notEqual(bearers[0][1], bearers[1][1])
})

test('no redirect is followed with a secret, by any method', async () => {
  for (const auth of methods) {
    app.environment({ NO_PROXY: `${auth}.invalid` }, { auth })
    app.requests.length = 0
    app.emulator.faults.api({ kind: 'status', status: 307, location: 'https://emulator-vault.vault.azure.net/stolen' })
    const error = await failureOf(app.pool({ connectionTimeoutMillis: 1_000 }).query('select 1'))
    assert.equal(error.status, 307, `${auth}: ${error.message}`)
    assert.ok(!app.requests.some(({ path }) => path === '/stolen'))
    await app.emulator.recover()
  }
})

test("the table names a place for every secret that a method has, and says that metadata services are never behind a proxy", () => {
  const rows = table('Where each secret goes')
  for (const name of ['token', 'clientSecret', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN', 'SYSTEM_ACCESSTOKEN', 'azureClientSecret', 'IDENTITY_HEADER', 'googleCredentials']) {
    assert.ok(rows.some(([secret]) => secret.includes(`\`${name}\``)), name)
  }
  for (const [, where, proxy] of rows.filter(([, where]) => where.includes('http') && !where.includes('https'))) assert.equal(proxy, 'never', where)
})

test('metadata services are asked past the proxy', async () => {
  for (const auth of ['metadata-service', 'azure-msi']) {
    app.environment(auth === 'metadata-service' ? { HTTPS_PROXY: 'http://proxy.invalid:1', HTTP_PROXY: 'http://proxy.invalid:1', ALL_PROXY: 'http://proxy.invalid:1' } : {}, { auth })
    await getToken()
    assert.ok(app.requests.some(({ host }) => host.startsWith('127.0.0.1')))
  }
})
