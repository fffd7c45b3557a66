// The workspace answers with an HTTP error: at the token endpoint, at each of the credential APIs.
import assert from 'node:assert/strict'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { refusal, SHORT } from '../support/refusals.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const apis = [
  ['/oidc/v1/token', 'autoscaling', 'oauth'],
  ['/api/2.0/postgres/credentials', 'autoscaling', 'postgres'],
  ['/api/2.0/database/credentials', 'provisioned', 'database'],
]

/** Status, error class, code, advice at the token endpoint and at the credential APIs, and whether it is worth another try. */
const statuses = [
  [400, 'CredentialError', 'INVALID_PARAMETER_VALUE', /DATABRICKS_CLIENT_ID/, /LAKEBASE_(ENDPOINT|INSTANCE_NAME)/, false],
  [401, 'AuthenticationError', 'UNAUTHENTICATED', /DATABRICKS_CLIENT_SECRET/, /DATABRICKS_HOST/, false],
  [403, 'AuthenticationError', 'PERMISSION_DENIED', /assigned to this workspace/, /Workspace access/, false],
  [404, 'CredentialError', 'NOT_FOUND', /DATABRICKS_HOST/, /LAKEBASE_(ENDPOINT|INSTANCE_NAME)/, false],
  [429, 'CredentialError', 'REQUEST_LIMIT_EXCEEDED', /./, /./, true],
  [500, 'CredentialError', 'INTERNAL_ERROR', /./, /./, false],
  [503, 'CredentialError', 'TEMPORARILY_UNAVAILABLE', /./, /./, true],
]

for (const [path, tier, api] of apis) {
  for (const [status, name, code, oauthHint, credentialHint, transient] of statuses) {
    test(`${status} at ${path}`, async () => {
      app.environment({}, { tier })
      // A fresh access token is asked for once more after a 401, so that call must meet the fault as well.
      app.emulator.faults.api({ kind: 'status', path, status })
      const error = await refusal(app, transient ? SHORT : {}, {
        name,
        code,
        status,
        message: new RegExp(`POST ${path} to localhost:\\d+ was answered with ${status}`),
        hint: api === 'oauth' ? oauthHint : credentialHint,
      })
      assert.equal(error.status, status)
      // Where there is no token endpoint, the discovery document may name another; the emulator's names the same.
      const once = api === 'oauth' && status === 404 ? 2 : 1
      assert.equal(app.calls[api] > once, transient, `${app.calls[api]} calls`)
    })
  }

  test(`a 429 at ${path} that passes is waited for as long as Retry-After says`, async () => {
    app.environment({}, { tier })
    app.emulator.faults.api({ kind: 'status', path, status: 429, retryAfterSeconds: 1, times: 1 })
    const began = performance.now()
    assert.equal((await app.pool().query('select 1 as one')).rows[0].one, 1)
    assert.ok(performance.now() - began >= 1000, 'not asked again before its time')
    assert.equal(app.calls[api], 2)
  })

  test(`a 429 at ${path} whose Retry-After is beyond the bound is reported instead of waited for`, async () => {
    app.environment({}, { tier })
    app.emulator.faults.api({ kind: 'status', path, status: 429, retryAfterSeconds: 30 })
    await refusal(app, {}, { name: 'CredentialError', code: 'REQUEST_LIMIT_EXCEEDED', status: 429 })
    assert.equal(app.calls[api], 1)
  })

  test(`a 503 at ${path} that passes is nobody's failure`, async () => {
    app.environment({}, { tier })
    app.emulator.faults.api({ kind: 'status', path, status: 503, times: 2 })
    assert.ok(await getToken())
    assert.equal(app.calls[api], 3)
  })
}

test('getToken() rejects with the same error', async () => {
  app.emulator.faults.api({ kind: 'status', path: '/api/2.0/postgres/credentials', status: 403 })
  const error = await failureOf(getToken())
  assert.deepEqual([error.name, error.code, error.status], ['AuthenticationError', 'PERMISSION_DENIED', 403])
})

test('a personal access token that is refused', async () => {
  app.environment({ DATABRICKS_TOKEN: 'dapi-not-a-token-of-this-workspace' }, { auth: 'pat' })
  await refusal(app, {}, { name: 'AuthenticationError', code: 'UNAUTHENTICATED', status: 401, hint: /DATABRICKS_TOKEN/ })
})

test('a client secret that is wrong', async () => {
  app.environment({ DATABRICKS_CLIENT_SECRET: 'dose-not-the-secret-of-this-principal' })
  await refusal(app, {}, { name: 'AuthenticationError', code: 'invalid_client', status: 401, hint: /DATABRICKS_CLIENT_SECRET/ })
})

test('a text of the workspace that quotes a secret is scrubbed', async () => {
  const { DATABRICKS_CLIENT_SECRET: secret } = app.emulator.env
  app.emulator.faults.api({ kind: 'status', status: 400, message: `the secret ${secret} is no good` })
  await refusal(app, {}, { name: 'CredentialError', code: 'INVALID_PARAMETER_VALUE', status: 400, message: /is no good/ })
})

test('the workspace is not asked again and again while it refuses', async () => {
  app.emulator.faults.api({ kind: 'status', path: '/oidc/v1/token', status: 401 })
  const pool = app.pool()
  for (let query = 0; query < 50; query++) assert.equal((await failureOf(pool.query('select 1'))).status, 401)
  assert.ok(app.calls.oauth < 15, `${app.calls.oauth} calls for 50 queries`)
})
