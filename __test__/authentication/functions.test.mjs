// authProvider and oidcToken: functions of the caller's give tokens.
import assert from 'node:assert/strict'
import { getCredential, getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { assertHidden, shown } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const personal = () => app.emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN

test('authProvider is asked once for many callers, pools and calls of getToken()', async () => {
  let calls = 0
  const authProvider = async () => {
    calls++
    return { token: personal(), expiresAt: new Date(Date.now() + 3_600_000) }
  }
  const options = { authProvider, user: 'developer@example.com' }
  const pools = [app.pool(options), app.pool(options)]
  await Promise.all([...range(50).map((n) => pools[n % 2].query('select 1')), ...range(50).map(() => getToken(options))])
  assert.equal(calls, 1)
  assert.equal(app.calls.oauth, 0, 'the client credentials of the environment count less than an option')
})

test('it is asked again when its token ends, and when the workspace refuses it', async () => {
  const tokens = []
  const authProvider = () => {
    tokens.push(tokens.length === 0 ? 'revoked-token-0123456789' : personal())
    return { token: tokens.at(-1), expiresAt: Date.now() + (tokens.length === 1 ? 3_600_000 : 1_500) }
  }
  await failureOf(getToken({ authProvider }))
  assert.ok(await getToken({ authProvider }))
  assert.equal(tokens.length, 2)
  await new Promise((resolve) => setTimeout(resolve, 1_600))
  await getCredential({ authProvider }, { refresh: true })
  assert.ok(tokens.length >= 3)
})

for (const [what, given] of [
  ['nothing', undefined],
  ['a text', 'token'],
  ['no token', { expiresAt: 5 }],
  ['an empty token', { token: '' }],
  ['a token that is no text', { token: 5 }],
  ['an expiry that is no time', { token: 'some-token-0123456789', expiresAt: 'soon' }],
  ['an expiry before 1970', { token: 'some-token-0123456789', expiresAt: -1 }],
]) {
  test(`authProvider that gives ${what}: an error that says what to give`, async () => {
    const error = await failureOf(getToken({ authProvider: () => given }))
    assert.equal(error.name, 'AuthenticationError')
    assert.match(error.message, /auth-provider: authProvider gave something else than \{ token, expiresAt \}/)
    assertHidden(['some-token-0123456789'], shown(error))
  })
}

test("what a function throws is the caller's own error", async () => {
  const own = new RangeError('mine')
  for (const options of [{ authProvider: () => Promise.reject(own) }, { oidcToken: () => Promise.reject(own) }]) {
    assert.equal(await failureOf(getToken(options)), own)
  }
})

test('a function that never answers ends with the connection timeout', async () => {
  const pool = app.pool({ authProvider: () => new Promise(() => {}), connectionTimeoutMillis: 500 })
  const error = await failureOf(pool.query('select 1'))
  assert.match(error.message, /auth-provider: authProvider gave no answer within/)
})

test('oidcToken is asked for the audience before every exchange', async () => {
  const audiences = []
  const oidcToken = (audience) => {
    audiences.push(audience)
    return app.emulator.idToken({ audience })
  }
  const pool = app.pool({ oidcToken })
  await pool.query('select 1')
  pool.clearTokenCache()
  await getToken({ oidcToken })
  assert.deepEqual(audiences, Array(2).fill(`${process.env.DATABRICKS_HOST}/oidc/v1/token`))
  const [form] = app.requests.filter(({ path }) => path === '/oidc/v1/token').map(({ body }) => new URLSearchParams(body))
  assert.equal(form.get('client_id'), process.env.DATABRICKS_CLIENT_ID)
})

test('oidcToken without a token: an error that says what to return', async () => {
  const error = await failureOf(getToken({ oidcToken: () => undefined }))
  assert.match(error.message, /oidc-callback: oidcToken gave no token/)
})

test("Vercel's request context gives the token where the variable does not", async () => {
  app.environment({ VERCEL_OIDC_TOKEN: undefined }, { auth: 'vercel-oidc' })
  const missing = await failureOf(getToken())
  assert.match(missing.message, /vercel-oidc: Vercel gave no OIDC token/)
  assert.match(missing.hint, /oidcToken: \(\) =>/)
  const token = app.emulator.idToken({ issuer: 'https://oidc.vercel.com/emulator' })
  const context = Symbol.for('@vercel/request-context')
  globalThis[context] = { get: () => ({ headers: { 'x-vercel-oidc-token': token } }) }
  try {
    assert.ok(await getToken())
    assert.equal(new URLSearchParams(app.requests.at(-2).body).get('subject_token'), token)
  } finally {
    delete globalThis[context]
  }
})

test('a value in place of a function is refused, and not shown', async () => {
  for (const name of ['authProvider', 'oidcToken']) {
    const error = await failureOf(getToken({ [name]: 'dapi-0123456789abcdef' }))
    assert.deepEqual(error.problems.map(({ option, expected }) => [option, expected]), [[name, 'a function']])
    assertHidden(['dapi-0123456789abcdef'], shown(error))
  }
})
