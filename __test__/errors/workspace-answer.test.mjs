// The workspace answers 200 with something that is of no use.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { refusal } from '../support/refusals.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

for (const [path, tier, fields] of [
  ['/oidc/v1/token', 'autoscaling', ['access_token', 'expires_in']],
  ['/api/2.0/postgres/credentials', 'autoscaling', ['token', 'expire_time']],
  ['/api/2.0/database/credentials', 'provisioned', ['token', 'expiration_time']],
]) {
  const invalid = { name: 'CredentialError', code: 'INVALID_RESPONSE', message: new RegExp(`POST ${path}`) }

  for (const [what, body] of [
    ['JSON that breaks off', undefined],
    ['nothing', ''],
    ['a web page', '<!doctype html><title>Sign in</title>'],
    ['an array', '[]'],
    ['null', 'null'],
    ['fields of other types', '{"access_token":1,"expires_in":"soon","token":2,"expire_time":3,"expiration_time":4}'],
    ['empty fields', '{"access_token":"","expires_in":3600,"token":"","expire_time":"","expiration_time":""}'],
  ]) {
    test(`${what} at ${path}`, () => {
      app.environment({}, { tier })
      app.emulator.faults.api({ kind: 'malformed', path, body })
      return refusal(app, {}, invalid)
    })
  }

  for (const missing of [undefined, ...fields.map((field) => [field])]) {
    test(`${missing ?? 'all fields'} missing at ${path}`, async () => {
      app.environment({}, { tier })
      app.emulator.faults.api({ kind: 'missing', path, fields: missing })
      const error = await refusal(app, {}, invalid)
      if (missing) assert.match(error.message, missing[0] === 'access_token' || missing[0] === 'expires_in' ? new RegExp(missing[0]) : /no token|expiry/)
    })
  }

  test(`an expiry in the past at ${path}`, () => {
    app.environment({}, { tier })
    app.emulator.faults.api({ kind: 'expired', path })
    if (path === '/oidc/v1/token') return refusal(app, {}, { ...invalid, message: /expires_in -3600/ })
    return refusal(app, {}, { name: 'CredentialError', code: 'TOKEN_EXPIRED', message: /expired 36\d\d s ago/, hint: /clock/ })
  })
}

test('an expiry that is no time', () => {
  app.emulator.faults.api({ kind: 'malformed', path: '/api/2.0/postgres/credentials', body: '{"token":"t","expire_time":"tomorrow"}' })
  return refusal(app, {}, { name: 'CredentialError', code: 'INVALID_RESPONSE', message: /RFC 3339/ })
})

test('an answer of a mebibyte and more is not read to its end', () => {
  app.emulator.faults.api({ kind: 'malformed', path: '/oidc/v1/token', body: `{"access_token":"${'x'.repeat(16 << 20)}","expires_in":3600}` })
  return refusal(app, {}, { name: 'CredentialError', code: 'INVALID_RESPONSE' })
})
