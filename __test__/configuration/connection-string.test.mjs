// A connection string is a login of its own: no token is fetched for it.
import assert from 'node:assert/strict'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

/** A URL with a password that the emulator takes: a token, fetched before the counts begin. */
async function url(database = app.emulator.database) {
  const token = await getToken()
  const { PGHOST, PGPORT, PGUSER } = app.emulator.env
  app.emulator.resetCounts()
  return `postgres://${PGUSER}:${encodeURIComponent(token)}@${PGHOST}:${PGPORT}/${database}?application_name=from+the+url`
}

const applicationName = async (pool) => (await pool.query("select current_setting('application_name') as name")).rows[0].name

test('connectionString wins over every other option and variable, and no token is fetched', async () => {
  const connectionString = await url()
  app.environment({ PGHOST: 'variable.invalid', PGUSER: 'variable', PGDATABASE: 'variable', PGAPPNAME: 'variable' })
  const pool = app.pool({ connectionString, host: 'option.invalid', user: 'option', database: 'option', application_name: 'option' })
  assert.equal(await applicationName(pool), 'from the url')
  assert.deepEqual(app.calls, { oauth: 0, postgres: 0, database: 0 })
})

test('a connection string needs nothing of Databricks', async () => {
  const connectionString = await url()
  app.environment({ ...Object.fromEntries(Object.keys(app.emulator.env).map((name) => [name, undefined])), NODE_EXTRA_CA_CERTS: app.emulator.caFile })
  assert.equal(await applicationName(app.pool({ connectionString })), 'from the url')
})

test("libpq's key=value form is taken, too", async () => {
  const { password } = new URL(await url())
  const { PGHOST, PGPORT, PGUSER, PGDATABASE } = app.emulator.env
  app.environment({ LAKEBASE_ENDPOINT: undefined })
  const connectionString = `host=${PGHOST} port=${PGPORT} user=${PGUSER} dbname=${PGDATABASE} password='${decodeURIComponent(password)}' application_name='key and value'`
  assert.equal(await applicationName(app.pool({ connectionString })), 'key and value')
  assert.deepEqual(app.calls, { oauth: 0, postgres: 0, database: 0 })
})

test('DATABASE_URL is used when there is neither endpoint nor instance', async () => {
  const DATABASE_URL = await url()
  app.environment({ LAKEBASE_ENDPOINT: undefined, DATABASE_URL })
  assert.equal(await applicationName(app.pool()), 'from the url')
  assert.deepEqual(app.calls, { oauth: 0, postgres: 0, database: 0 })
})

test('DATABASE_URL, which hosts set unasked, is not used beside an endpoint or an instance', async () => {
  const DATABASE_URL = 'postgres://host:secret@set-by-the-host.invalid/other'
  app.environment({ DATABASE_URL })
  assert.equal((await app.pool().query('select 1 as one')).rows[0].one, 1)
  assert.equal(app.calls.postgres, 1)
  app.environment({ DATABASE_URL }, { tier: 'provisioned' })
  assert.equal((await app.pool().query('select 1 as one')).rows[0].one, 1)
  assert.equal(app.calls.database, 1)
  app.environment({ DATABASE_URL, LAKEBASE_ENDPOINT: undefined })
  const { LAKEBASE_ENDPOINT: endpoint } = app.emulator.env
  assert.equal((await app.pool({ endpoint }).query('select 1 as one')).rows[0].one, 1)
})

test("the pool's options show where the string leads, but not the string", async () => {
  const connectionString = await url()
  const { options } = app.pool({ connectionString })
  assert.equal(options.host, app.emulator.env.PGHOST)
  assert.equal(options.database, app.emulator.database)
  assert.ok(!Object.keys(options).includes('connectionString'))
})
