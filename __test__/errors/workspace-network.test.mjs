// The way to the workspace is blocked.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { refusal, SHORT } from '../support/refusals.mjs'
import { certificateFor } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('a host that does not exist', () => {
  app.environment({ DATABRICKS_HOST: 'https://no-such-workspace.invalid' })
  return refusal(app, SHORT, { name: 'ConnectionError', code: 'ENOTFOUND', message: /no-such-workspace\.invalid/, hint: /DATABRICKS_HOST/ })
})

test('a port that refuses', () => {
  app.emulator.refuseConnections('api')
  return refusal(app, SHORT, { name: 'ConnectionError', code: 'ECONNREFUSED', message: /localhost:\d+/, hint: /DATABRICKS_HOST/ })
})

test('a host that is no workspace', () => {
  // The database's port answers TLS only when it is asked for it in PostgreSQL's way.
  app.environment({ DATABRICKS_HOST: `https://localhost:${app.emulator.ports.database}` })
  return refusal(app, { ...SHORT, host: '127.0.0.1' }, { name: 'ConnectionError', code: 'ECONNRESET', hint: /./ })
})

test('a host that falls silent', () => {
  app.emulator.setBlackHole(true, 'api')
  return refusal(app, SHORT, { name: 'ConnectionError', code: 'ETIMEDOUT', message: /not answered|timed out/, hint: /connectionTimeoutMillis|network/ })
})

for (const path of ['/oidc/v1/token', '/api/2.0/postgres/credentials']) {
  test(`no answer at ${path}`, () => {
    app.emulator.faults.api({ kind: 'hang', path })
    return refusal(app, SHORT, { name: 'ConnectionError', code: 'ETIMEDOUT', message: new RegExp(`POST ${path}`), hint: /./ })
  })

  test(`a reset at ${path}`, () => {
    app.emulator.faults.api({ kind: 'reset', path })
    return refusal(app, SHORT, { name: 'ConnectionError', code: 'ECONNRESET', message: new RegExp(`POST ${path}`), hint: /network/ })
  })

  test(`a reset at ${path} that passes is nobody's failure`, async () => {
    app.emulator.faults.api({ kind: 'reset', path, times: 1 })
    assert.ok(await getToken())
  })
}

test('a certificate of an authority that nobody trusts', () => {
  app.environment({ NODE_EXTRA_CA_CERTS: undefined })
  return refusal(app, {}, {
    name: 'ConnectionError',
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    message: /certificate of localhost.* was refused/,
    hint: /NODE_EXTRA_CA_CERTS/,
  })
})

test('a certificate of a false authority', () => {
  const file = join(dirname(app.emulator.caFile), 'other-ca.pem')
  writeFileSync(file, certificateFor(['localhost']).ca)
  app.environment({ NODE_EXTRA_CA_CERTS: file })
  return refusal(app, {}, { name: 'ConnectionError', code: 'CERT_SIGNATURE_FAILURE', hint: /NODE_EXTRA_CA_CERTS/ })
})

test('a file of authorities that cannot be read is a configuration error that names it', async () => {
  app.environment({ NODE_EXTRA_CA_CERTS: '/nonexistent/ca.pem' })
  const error = await failureOf(getToken())
  assert.equal(error.name, 'ConfigurationError')
  assert.match(error.message, /\/nonexistent\/ca\.pem/)
})
