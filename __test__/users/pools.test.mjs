// Pools per user: who may be believed, and what is kept for how long.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { AuthenticationError, ConfigurationError } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf } from '../support/outcome.mjs'
import { assertHidden, shown } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const user = 'developer@example.com'
const token = () => app.emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN
const headers = () => ({ 'x-forwarded-access-token': token(), 'x-forwarded-email': user, 'x-forwarded-user': 'id@1' })
const who = 'select current_user as user'

test('asUser takes requests of Node.js, web requests and headers', async () => {
  const pool = app.pool({ trustForwardedHeaders: true })
  for (const request of [{ headers: headers() }, new Request('https://app.example', { headers: headers() }), new Headers(headers()), headers()]) {
    assert.deepEqual((await pool.asUser(request).query(who)).rows, [{ user }])
  }
  assert.equal(app.emulator.counts.logins.accepted, 1, 'the same user has the same pool')
})

test('asUser refuses where the headers are not trusted, and says why', async () => {
  for (const options of [{}, { trustForwardedHeaders: false }, { trustForwardedHeaders: 'yes' }]) {
    const error = await failureOf(() => app.pool(options).asUser({ headers: headers() }))
    assert.ok(error instanceof ConfigurationError)
    assert.equal(error.code, 'FORWARDED_HEADERS_NOT_TRUSTED')
    assert.match(error.message, /anybody can send it/)
    assertHidden([token()], shown(error))
  }
})

test('a request without a user, or with a header sent twice, is refused', async () => {
  const pool = app.pool({ trustForwardedHeaders: true })
  for (const request of [
    { headers: {} },
    { headers: { ...headers(), 'x-forwarded-access-token': undefined } },
    { headers: { 'x-forwarded-access-token': token() } },
    { headers: { ...headers(), 'x-forwarded-email': 'a@example.com, b@example.com', 'x-forwarded-user': undefined } },
    { headers: { ...headers(), 'x-forwarded-access-token': [token(), token()] } },
  ]) {
    const error = await failureOf(() => pool.asUser(request))
    assert.ok(error instanceof AuthenticationError)
    assert.equal(error.code, 'NO_FORWARDED_USER')
  }
})

test('in development, only if asked for: the pool itself, with a warning', async () => {
  const { NODE_ENV } = process.env
  try {
    process.env.NODE_ENV = 'production'
    const pool = app.pool({ trustForwardedHeaders: true, users: { developmentFallback: true } })
    assert.equal((await failureOf(() => pool.asUser({ headers: {} }))).code, 'NO_FORWARDED_USER')
    process.env.NODE_ENV = 'development'
    assert.equal((await failureOf(() => app.pool({ trustForwardedHeaders: true }).asUser({ headers: {} }))).code, 'NO_FORWARDED_USER')
    const warned = once(process, 'warning')
    assert.deepEqual((await pool.asUser({ headers: {} }).query(who)).rows, [{ user: process.env.PGUSER }])
    assert.match((await warned)[0].message, /rights of its own identity/)
  } finally {
    if (NODE_ENV === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = NODE_ENV
  }
})

test('forUser wants a user and a token', async () => {
  const pool = app.pool()
  for (const identity of [undefined, {}, { user }, { token: 'x' }, { user: '', token: 'x' }, { user, token: '' }]) {
    assert.ok((await failureOf(() => pool.forUser(identity))) instanceof TypeError)
  }
})

test('a pool in use is not closed for another user, who waits for it or for the timeout', async () => {
  const pool = app.pool({ users: { max: 1, maxPools: 1 }, connectionTimeoutMillis: 500 })
  const client = await pool.forUser({ user, token: token() }).connect()
  const service = { user: process.env.PGUSER, jwt: app.emulator.idToken() }
  assert.equal((await failureOf(pool.forUser(service).query(who))).code, 'USER_POOLS_BUSY')
  assert.deepEqual((await client.query(who)).rows, [{ user }])
  const waiting = pool.forUser({ user, token: `${token()}-other` }).query(who)
  client.release()
  assert.equal((await failureOf(waiting)).status, 401, 'it had its turn, with its own token')
})

test('pools that nobody uses are closed, and made again when they are needed', async () => {
  const pool = app.pool({ users: { idleTimeoutMillis: 100 } })
  const as = pool.forUser({ user, token: token() })
  const closed = event(app.emulator.events, 'disconnect', (target) => target === 'database')
  await as.query(who)
  await closed
  assert.deepEqual((await as.query(who)).rows, [{ user }])
})

test('end() waits for the queries of users, closes their pools and refuses new ones', async () => {
  const pool = app.pool()
  const as = pool.forUser({ user, token: token() })
  await as.query(who)
  const closed = event(app.emulator.events, 'disconnect', (target) => target === 'database')
  const slow = as.query('select pg_sleep(0.2), current_user as user')
  await pool.end()
  assert.equal((await slow).rows[0].user, user)
  assert.match((await failureOf(as.query(who))).message, /after calling end on the pool/)
  assert.match((await failureOf(() => pool.forUser({ user, token: token() }))).message, /after calling end on the pool/)
  await closed
})

test('a lost connection of a user is told to listeners of the pool, and to nobody else', async () => {
  const pool = app.pool()
  await pool.forUser({ user, token: token() }).query(who)
  const lost = event(app.emulator.events, 'disconnect', (target) => target === 'database')
  await app.emulator.terminateConnections()
  await lost
  const told = event(pool, 'error')
  await pool.forUser({ user, token: token() }).query(who)
  await app.emulator.terminateConnections()
  assert.ok((await told)[0] instanceof Error)
})

test('no token shows', async () => {
  const pool = app.pool({ trustForwardedHeaders: true })
  const as = pool.asUser({ headers: headers() })
  await as.query(who)
  assertHidden([token()], [shown(as), shown(pool)].join('\n'))
})
