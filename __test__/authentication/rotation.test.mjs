// What changes under us is read at the next fetch; what fails for long is not hammered.
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { getCredential, getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf, range } from '../support/outcome.mjs'
import { assertHidden, shown } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const subjects = () => app.requests.filter(({ path }) => path === '/oidc/v1/token').map(({ body }) => new URLSearchParams(body).get('subject_token'))

test('a token file that the platform replaces', async () => {
  app.environment({}, { auth: 'file-oidc' })
  const pool = app.pool()
  await pool.query('select 1')
  const next = app.emulator.idToken({ subject: 'next' })
  writeFileSync(process.env.DATABRICKS_OIDC_TOKEN_FILEPATH, `${next}\n`)
  pool.clearTokenCache()
  await getToken()
  assert.equal(subjects().length, 2)
  assert.equal(subjects()[1], next)
})

test('a variable that changes', async () => {
  app.environment({}, { auth: 'env-oidc' })
  const pool = app.pool()
  await pool.query('select 1')
  process.env.DATABRICKS_OIDC_TOKEN = app.emulator.idToken({ subject: 'next' })
  await getToken()
  assert.equal(subjects().length, 1, 'nothing is exchanged while the workspace token is good')
  pool.clearTokenCache()
  await getToken()
  assert.equal(subjects()[1], process.env.DATABRICKS_OIDC_TOKEN)
})

for (const [auth, name, ways] of [
  ['m2m', 'DATABRICKS_CLIENT_SECRET', ({ headers }) => Buffer.from(headers.authorization.slice('Basic '.length), 'base64').toString().split(':')[1]],
  ['azure-client-secret', 'ARM_CLIENT_SECRET', ({ body }) => new URLSearchParams(body).get('client_secret')],
]) {
  test(`${auth}: a secret that is replaced in ${name} is used at the next fetch`, async () => {
    app.environment({}, { auth })
    const right = process.env[name]
    const pool = app.pool()
    const login = async () => {
      pool.clearTokenCache()
      const client = await pool.connect()
      client.release(true)
    }
    const sent = () => app.requests.filter(({ path }) => path.endsWith('/token')).map(ways)
    await login()
    process.env[name] = 'a-secret-that-was-replaced'
    assert.equal((await failureOf(login())).status, 401)
    process.env[name] = `${right}\n`
    await login()
    // Some apps take their secrets out of the environment after the start.
    delete process.env[name]
    await login()
    assert.deepEqual(sent(), [right, 'a-secret-that-was-replaced', right, right])
  })
}

test('clearTokenCache(): the next connection logs in with new tokens, open ones stay', async () => {
  const pool = app.pool({ max: 2 })
  const client = await pool.connect()
  assert.deepEqual(app.calls, { oauth: 1, postgres: 1, database: 0 })
  pool.clearTokenCache()
  assert.equal((await client.query('select 1 as one')).rows[0].one, 1)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 1, database: 0 })
  await pool.query('select 1')
  assert.deepEqual(app.calls, { oauth: 2, postgres: 2, database: 0 })
  client.release()
})

test('the event token: method and expiry, for each fetch and each pool that shares it, and no secret', async () => {
  const pools = [app.pool(), app.pool()]
  const told = pools.map((pool) => {
    const events = []
    pool.on('token', (...details) => events.push(details))
    return events
  })
  await pools[0].query('select 1')
  const { token, expiresAt } = await getCredential()
  for (const events of told) {
    assert.equal(events.length, 1)
    const [details, ...more] = events[0]
    assert.deepEqual([Object.keys(details).sort(), more], [['expiresAt', 'method'], []])
    assert.deepEqual([details.method, details.expiresAt], ['oauth-m2m', expiresAt])
    assertHidden([token], shown(details))
  }
  await pools[1].end()
  const fetched = event(pools[0], 'token')
  await getCredential(undefined, { refresh: true })
  await fetched
  assert.deepEqual(told.map((events) => events.length), [2, 1], 'a pool that has ended hears nothing')
})

test('failures that persist: fewer and fewer calls, everybody is answered at once, and clearTokenCache() asks again', async () => {
  app.emulator.faults.api({ kind: 'status', status: 403, path: '/api/2.0/postgres/credentials' })
  for (const _ of range(12)) assert.equal((await failureOf(getToken())).status, 403)
  const calls = () => app.calls.postgres
  // The pause doubles from 100 ms: so many failures in a row cannot have been so many calls.
  assert.ok(calls() < 12, `${calls()} calls`)
  const before = calls()
  while (!(await failureOf(getToken())).hint.includes('it is not tried again for')) assert.ok(calls() < 20)
  const burst = await Promise.all(range(200).map(() => failureOf(getToken())))
  assert.ok(calls() <= before + 9, 'callers that come together lead to one call at most')
  for (const { status, name, hint } of burst) assert.deepEqual([status, name, Boolean(hint)], [403, 'AuthenticationError', true])
  app.emulator.faults.clear()
  app.pool().clearTokenCache()
  assert.ok(await getToken())
})
