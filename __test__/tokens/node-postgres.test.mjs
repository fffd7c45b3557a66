// getToken() as node-postgres' password callback, and getDatabaseUrl() as its connection string.
import assert from 'node:assert/strict'
import pg from 'pg'
import { getDatabaseUrl, getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('new pg.Pool({ password: getToken }) works as it stands, with many connections', async () => {
  const pool = new pg.Pool({ ...app.address(), password: getToken, max: 8 })
  const clients = await Promise.all(range(8).map(() => pool.connect()))
  for (const client of clients) assert.equal((await client.query('select current_user as me')).rows[0].me, app.emulator.env.PGUSER)
  for (const client of clients) client.release()
  await pool.end()
  assert.equal(app.emulator.counts.logins.accepted, 8)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 1, database: 0 })
})

test('a new pg.Client({ password: getToken }) works, too', async () => {
  const client = new pg.Client({ ...app.address(), password: getToken })
  await client.connect()
  assert.equal((await client.query('select 1 as one')).rows[0].one, 1)
  await client.end()
})

test("what node-postgres passes as parameters has no influence, whatever it holds", async () => {
  const circular = { host: 'other.invalid', user: 'other', database: 'other', ssl: { key: 'x' }, max: -1, password: () => {} }
  circular.self = circular
  assert.equal(await getToken(circular), await getToken())
  assert.equal(app.calls.postgres, 1)
})

test('getDatabaseUrl() gives a URL that node-postgres logs in with', async () => {
  const url = await getDatabaseUrl()
  const client = new pg.Client({ connectionString: url.replace(/\?.*/, ''), ssl: { ca: app.emulator.ca } })
  await client.connect()
  assert.equal((await client.query('select current_database() as name')).rows[0].name, app.emulator.database)
  await client.end()
})

test('getDatabaseUrl() holds host, port, user, database, TLS mode and the cached token', async () => {
  const token = await getToken()
  const url = new URL(await getDatabaseUrl())
  const { PGHOST, PGPORT, PGUSER, PGDATABASE } = app.emulator.env
  assert.equal(url.protocol, 'postgresql:')
  assert.deepEqual([url.hostname, url.port, url.username, url.pathname], [PGHOST, PGPORT, PGUSER, `/${PGDATABASE}`])
  assert.equal(decodeURIComponent(url.password), token)
  assert.equal(url.searchParams.get('sslmode'), 'verify-full')
  assert.equal(app.calls.postgres, 1)
})

test('getDatabaseUrl() percent-encodes names and passwords', async () => {
  const url = new URL(await getDatabaseUrl({ user: 'jane@example.com', database: 'a/b?c', password: 'p@ss:w/rd%', sslMode: 'prefer' }))
  assert.equal(decodeURIComponent(url.username), 'jane@example.com')
  assert.equal(decodeURIComponent(url.password), 'p@ss:w/rd%')
  assert.equal(decodeURIComponent(url.pathname), '/a/b?c')
  assert.equal(url.searchParams.get('sslmode'), 'prefer')
})

test('getDatabaseUrl() asks a password function', async () => {
  const url = new URL(await getDatabaseUrl({ password: async () => 'from the vault' }))
  assert.equal(decodeURIComponent(url.password), 'from the vault')
  assert.deepEqual(app.calls, { oauth: 0, postgres: 0, database: 0 })
})

test('getDatabaseUrl() needs no token for a connection string', async () => {
  const connectionString = 'postgres://user:secret@host.example.com/database'
  assert.equal(await getDatabaseUrl({ connectionString }), connectionString)
  app.environment({ LAKEBASE_ENDPOINT: undefined, DATABASE_URL: connectionString })
  assert.equal(new URL(await getDatabaseUrl()).password, 'secret')
  assert.deepEqual(app.calls, { oauth: 0, postgres: 0, database: 0 })
})

test('getDatabaseUrl() uses PGPASSWORD where a pool would', async () => {
  app.environment({ LAKEBASE_ENDPOINT: undefined, PGPASSWORD: 'native' })
  assert.equal(new URL(await getDatabaseUrl()).password, 'native')
})

test('getDatabaseUrl() opens no connection to the database, and rejects on bad configuration', async () => {
  await getDatabaseUrl()
  assert.equal(app.emulator.counts.connections.database.opened, 0)
  assert.equal((await failureOf(getDatabaseUrl({ port: 0 }))).name, 'ConfigurationError')
})
