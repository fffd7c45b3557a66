// LAKEBASE_ENDPOINT and an identity are enough: host, database and user are looked up; what is given counts.
import assert from 'node:assert/strict'
import { createLakebasePool, getDatabaseUrl } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const who = 'select current_user as user, current_database() as database'
const none = { PGHOST: undefined, PGDATABASE: undefined, PGUSER: undefined }
const ENDPOINT = () => `/api/2.0/postgres/${app.emulator.endpoint}`
const DATABASES = '/api/2.0/postgres/projects/emulator/branches/production/databases'
const ME = '/api/2.0/preview/scim/v2/Me'
const paths = () => app.requests.map(({ path }) => path).sort()

/** Answers a path of the API with this body. */
const answer = (path, body, times) => app.emulator.faults.api({ kind: 'malformed', path, body: JSON.stringify(body), times })

test('a service principal: host and database are looked up, once, beside the credential', async () => {
  app.environment(none)
  const pool = app.pool({ port: app.emulator.ports.database })
  const results = await Promise.all(range(50).map(() => pool.query(who)))
  for (const { rows } of results) assert.deepEqual(rows, [{ user: process.env.DATABRICKS_CLIENT_ID, database: app.emulator.database }])
  assert.deepEqual(paths(), ['/api/2.0/postgres/credentials', DATABASES, ENDPOINT(), '/oidc/v1/token'])
  assert.deepEqual([pool.options.host, pool.options.database], [app.emulator.env.PGHOST, app.emulator.database])
  const client = await app.pool({ port: app.emulator.ports.database }).connect()
  client.release()
  assert.equal(app.requests.length, 4, 'another pool looks nothing up')
})

test('a user: the name too', async () => {
  app.environment(none, { auth: 'pat' })
  const pool = app.pool({ port: app.emulator.ports.database })
  assert.deepEqual((await pool.query(who)).rows, [{ user: 'developer@example.com', database: app.emulator.database }])
  assert.deepEqual(paths(), ['/api/2.0/postgres/credentials', DATABASES, ENDPOINT(), ME])
  assert.equal(pool.options.user, 'developer@example.com')
})

test('checkouts, events and transactions wait for it as queries do', async () => {
  app.environment(none)
  const pool = app.pool({ port: app.emulator.ports.database, max: 2 })
  const connected = []
  pool.on('connect', (client) => connected.push(client))
  const [client, { rows }] = await Promise.all([pool.connect(), pool.query(who), pool.transaction((client) => client.query(who))])
  assert.equal(rows.length, 1)
  client.release()
  assert.ok(connected.length >= 1 && connected.length <= 2)
  await pool.end()
  assert.equal(pool.totalCount, 0)
})

test('a pool that is ended before the answer, or was never used, ends', async () => {
  app.environment(none)
  const unused = createLakebasePool()
  await unused.end()
  app.emulator.faults.api({ kind: 'delay', millis: 200, path: ENDPOINT() })
  const pool = createLakebasePool({ port: app.emulator.ports.database })
  const query = pool.query(who)
  const end = pool.end()
  assert.equal((await query).rows.length, 1)
  await end
})

test('only what is not given is looked up', async () => {
  app.environment({ ...none, PGHOST: app.emulator.env.PGHOST, PGUSER: app.emulator.env.PGUSER })
  await app.pool({ port: app.emulator.ports.database }).query(who)
  assert.deepEqual(paths(), ['/api/2.0/postgres/credentials', DATABASES, '/oidc/v1/token'])
})

test('what is given counts: a deployment that gives all looks nothing up', async () => {
  await app.pool({ readOnly: true }).query(who)
  assert.deepEqual(app.requests.map(({ path }) => path), ['/oidc/v1/token', '/api/2.0/postgres/credentials'])
})

test('Provisioned: the instance tells its host', async () => {
  app.environment(none, { tier: 'provisioned' })
  await app.pool({ port: app.emulator.ports.database }).query(who)
  assert.deepEqual(paths(), ['/api/2.0/database/credentials', `/api/2.0/database/instances/${app.emulator.instance}`, '/oidc/v1/token'])
})

test('readOnly takes the host of the read-only replicas', async () => {
  app.environment(none, { tier: 'provisioned' })
  const instance = { state: 'AVAILABLE', read_write_dns: 'writer.invalid', read_only_dns: app.emulator.env.PGHOST }
  answer(`/api/2.0/database/instances/${app.emulator.instance}`, instance)
  assert.equal((await app.pool({ port: app.emulator.ports.database, readOnly: true }).query(who)).rows.length, 1)
  app.environment(none)
  answer(ENDPOINT(), { status: { hosts: { host: 'writer.invalid', read_only_host: app.emulator.env.PGHOST } } })
  assert.equal((await app.pool({ port: app.emulator.ports.database, readOnly: true }).query(who)).rows.length, 1)
})

for (const [what, tier, body, message, hint] of [
  ['stopped', 'provisioned', { state: 'STOPPED', effective_stopped: true }, /database instance emulator is stopped/, /start it/],
  ['starting', 'provisioned', { state: 'STARTING' }, /database instance emulator is not ready: STARTING/, /wait/],
  ['being deleted', 'provisioned', { state: 'DELETING', read_write_dns: 'x' }, /is being deleted/, /another instance/],
  ['without a read-write host', 'provisioned', { state: 'AVAILABLE' }, /has no host yet/, /PGHOST/],
  ['disabled', 'autoscaling', { status: { disabled: true } }, /endpoint .* is disabled/, /enable it/],
  ['without a host', 'autoscaling', {}, /endpoint .* has no host/, /PGHOST/],
]) {
  test(`an endpoint or instance that is ${what} is told as such, to everybody who waits`, async () => {
    app.environment(none, { tier })
    const path = tier === 'provisioned' ? `/api/2.0/database/instances/${app.emulator.instance}` : ENDPOINT()
    answer(path, body)
    const pool = app.pool({ connectionTimeoutMillis: 1_000 })
    const errors = await Promise.all([failureOf(pool.query(who)), failureOf(pool.query(who)), failureOf(pool.connect())])
    for (const error of errors) {
      assert.match(error.message, message)
      assert.match(error.hint, hint)
    }
    assert.deepEqual([pool.totalCount, pool.waitingCount], [0, 0])
  })
}

test('several databases, none of them the usual one: their names are told', async () => {
  app.environment(none)
  answer(DATABASES, { databases: ['shop', 'blog'].map((postgres_database) => ({ status: { postgres_database } })) })
  const error = await failureOf(app.pool().query(who))
  assert.match(error.message, /has several databases: shop, blog/)
  assert.match(error.hint, /PGDATABASE/)
})

test('an endpoint that is not there, and an identity that may not look', async () => {
  app.environment({ ...none, LAKEBASE_ENDPOINT: 'projects/nowhere/branches/b/endpoints/e', PGDATABASE: 'x' })
  assert.match((await failureOf(app.pool().query(who))).hint, /LAKEBASE_ENDPOINT/)
  app.environment(none)
  app.emulator.faults.api({ kind: 'status', status: 403, path: ENDPOINT() })
  assert.match((await failureOf(app.pool().query(who))).hint, /may see the project; or set PGHOST/)
})

test('after a failure the next caller asks again', async () => {
  app.environment(none)
  app.emulator.faults.api({ kind: 'status', status: 500, path: ENDPOINT(), times: 1 })
  const pool = app.pool({ port: app.emulator.ports.database })
  assert.equal((await failureOf(pool.query(who))).status, 500)
  assert.equal((await pool.query(who)).rows.length, 1)
})

for (const [what, body] of [
  ['wrong types', { status: 5 }],
  ['a host that is a path', { status: { hosts: { host: '/etc' } } }],
  ['an array', []],
]) {
  test(`an answer of ${what} is an error, not a hang`, async () => {
    app.environment(none)
    answer(ENDPOINT(), body)
    const error = await failureOf(app.pool({ connectionTimeoutMillis: 2_000 }).query(who))
    assert.equal(error.name, 'CredentialError')
  })
}

test('getDatabaseUrl() has what was looked up', async () => {
  app.environment(none)
  const url = new URL(await getDatabaseUrl())
  assert.deepEqual([url.hostname, url.pathname, url.username], [app.emulator.env.PGHOST, `/${app.emulator.database}`, process.env.DATABRICKS_CLIENT_ID])
})
