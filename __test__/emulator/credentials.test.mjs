import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startEmulator } from 'lakebase-native/emulator'
import { accessToken, basic, bearer, call, form } from './clients.mjs'

const TOKEN = '/oidc/v1/token'
const AUTOSCALING = '/api/2.0/postgres/credentials'
const PROVISIONED = '/api/2.0/database/credentials'
const EXCHANGE = {
  grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
  subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
  scope: 'all-apis',
}

let emulator
before(async () => {
  emulator = await startEmulator({ tokenLifetimeMillis: 900_000, users: ['ada@example.com'], subjectToken: 'opaque-subject' })
})
after(() => emulator.stop())

const text = (body) => (typeof body === 'string' ? body : JSON.stringify(body))
const post = (path, body, headers) => call(emulator, 'POST', path, { headers, body: text(body) })
const me = async (token) => (await call(emulator, 'GET', '/api/2.0/preview/scim/v2/Me', { headers: bearer(token) })).body.userName
const jwt = (claims) => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`

test('client credentials are taken from the Basic header and from the form', async () => {
  const { DATABRICKS_CLIENT_ID: client_id, DATABRICKS_CLIENT_SECRET: client_secret } = emulator.env
  const fields = { grant_type: 'client_credentials', scope: 'all-apis' }
  const answers = [
    await post(TOKEN, form(fields), basic(client_id, client_secret)),
    await post(TOKEN, form({ ...fields, client_id, client_secret })),
  ]
  for (const { status, body } of answers) {
    assert.equal(status, 200)
    assert.equal(body.token_type, 'Bearer')
    assert.equal(body.expires_in, 3600)
    assert.equal(await me(body.access_token), client_id)
  }
})

test('wrong client credentials, grants and scopes are refused as RFC 6749 has it', async () => {
  const { DATABRICKS_CLIENT_ID: id, DATABRICKS_CLIENT_SECRET: secret } = emulator.env
  const refused = async (fields, headers) => {
    const { status, body } = await post(TOKEN, form(fields), headers)
    return [status, body.error]
  }
  const grant = { grant_type: 'client_credentials', scope: 'all-apis' }
  assert.deepEqual(await refused(grant, basic(id, 'wrong')), [401, 'invalid_client'])
  assert.deepEqual(await refused(grant, basic('nobody', secret)), [401, 'invalid_client'])
  assert.deepEqual(await refused(grant), [401, 'invalid_client'])
  assert.deepEqual(await refused({ ...grant, grant_type: 'password' }, basic(id, secret)), [400, 'unsupported_grant_type'])
  assert.deepEqual(await refused({ grant_type: 'client_credentials' }, basic(id, secret)), [400, 'invalid_scope'])
})

test('token exchange acts as the service principal named by client_id, else as the user the JWT names', async () => {
  const exchange = async (fields) => (await post(TOKEN, form({ ...EXCHANGE, ...fields }))).body
  const subject_token = jwt({ sub: 'ada@example.com' })
  const client_id = emulator.env.DATABRICKS_CLIENT_ID
  assert.equal(await me((await exchange({ subject_token, client_id })).access_token), client_id)
  assert.equal(await me((await exchange({ subject_token })).access_token), 'ada@example.com')
  assert.equal(await me((await exchange({ subject_token: 'opaque-subject' })).access_token), 'developer@example.com')
  assert.equal((await exchange({ subject_token: 'not-a-jwt' })).error, 'invalid_grant')
})

test('the discovery document names the token endpoint where the client reached it', async () => {
  const { body } = await call(emulator, 'GET', '/oidc/.well-known/oauth-authorization-server')
  assert.equal(body.token_endpoint, `${emulator.env.DATABRICKS_HOST}${TOKEN}`)
})

test('an Autoscaling credential expires after the configured lifetime, or sooner when asked to', async () => {
  const headers = bearer(await accessToken(emulator))
  const lifetime = async (fields) => {
    const earliest = emulator.now()
    const { status, body } = await post(AUTOSCALING, { endpoint: emulator.endpoint, ...fields }, headers)
    const latest = emulator.now()
    assert.equal(status, 200, JSON.stringify(body))
    assert.match(body.token, /^[\w-]+\.[\w-]+\.[\w-]+$/)
    return [Date.parse(body.expire_time) - latest, Date.parse(body.expire_time) - earliest]
  }
  const within = ([least, most], millis) => assert.ok(least <= millis && millis <= most, `${least}..${most} should hold ${millis}`)
  within(await lifetime({}), 900_000)
  within(await lifetime({ ttl: '300s' }), 300_000)
  within(await lifetime({ ttl: '3600s' }), 900_000)
  const claims = [{ permission_set: 'READ_ONLY', resources: [{ table_name: 'main.public.orders' }] }]
  within(await lifetime({ claims }), 900_000)
})

test('malformed Autoscaling requests get 400, unknown endpoints 404', async () => {
  const headers = bearer(await accessToken(emulator))
  const { endpoint } = emulator
  const refused = async (body) => {
    const answer = await post(AUTOSCALING, body, headers)
    assert.equal(typeof answer.body.message, 'string')
    return [answer.status, answer.body.error_code]
  }
  const invalid = [400, 'INVALID_PARAMETER_VALUE']
  assert.deepEqual(await refused('{'), invalid)
  assert.deepEqual(await refused([]), invalid)
  assert.deepEqual(await refused({}), invalid)
  assert.deepEqual(await refused({ endpoint: 'primary' }), invalid)
  assert.deepEqual(await refused({ endpoint, instance_names: ['x'] }), invalid)
  assert.deepEqual(await refused({ endpoint, claims: [{ permission_set: 'ALL' }] }), invalid)
  assert.deepEqual(await refused({ endpoint, ttl: '60s' }), invalid)
  assert.deepEqual(await refused({ endpoint, ttl: 'an hour' }), invalid)
  assert.deepEqual(await refused({ endpoint, ttl: '300s', expire_time: '2030-01-01T00:00:00Z' }), invalid)
  assert.deepEqual(await refused({ endpoint: `${endpoint}-nowhere` }), [404, 'NOT_FOUND'])
})

test('a Provisioned credential is issued for known instances only', async () => {
  const headers = bearer(await accessToken(emulator))
  const issued = await post(PROVISIONED, { instance_names: [emulator.instance], request_id: 'r-1' }, headers)
  assert.equal(issued.status, 200)
  assert.deepEqual(Object.keys(issued.body).sort(), ['expiration_time', 'token'])
  const refused = async (body) => (await post(PROVISIONED, body, headers)).status
  assert.equal(await refused({ instance_names: ['nowhere'], request_id: 'r-2' }), 404)
  assert.equal(await refused({ request_id: 'r-3' }), 400)
  assert.equal(await refused({ instance_names: emulator.instance }), 400)
})

test('API calls need an access token that is known and not expired; a personal access token stays valid', async () => {
  const headers = bearer(await accessToken(emulator))
  const pat = bearer(emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN)
  const status = async (given) => (await post(AUTOSCALING, { endpoint: emulator.endpoint }, given)).status
  assert.equal(await status({}), 401)
  assert.equal(await status(bearer('made-up')), 401)
  assert.equal(await status(headers), 200)
  emulator.advanceClock(3_600_000)
  assert.equal(await status(headers), 401)
  assert.equal(await status(pat), 200)
})

test('calls are counted by path and told to listeners', async () => {
  emulator.resetCounts()
  const calls = []
  const listen = (made) => calls.push(made)
  emulator.events.on('call', listen)
  await accessToken(emulator)
  await call(emulator, 'GET', '/api/2.0/nothing', { headers: bearer(await accessToken(emulator)) })
  emulator.events.off('call', listen)
  assert.deepEqual(emulator.counts.api, { [TOKEN]: 2, '/api/2.0/nothing': 1 })
  const { headers, ...told } = calls.at(-1)
  const host = new URL(emulator.env.DATABRICKS_HOST).host
  assert.deepEqual(told, { method: 'GET', host, path: '/api/2.0/nothing', query: '', body: '', status: 404 })
  assert.match(headers.authorization, /^Bearer /)
})
