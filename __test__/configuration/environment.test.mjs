import assert from 'node:assert/strict'
import { createLakebasePool } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const whoAndWhere = 'select current_user as user, current_database() as database'

test('the environment of a deployment is enough, with a service principal', async () => {
  const { rows } = await app.pool().query(whoAndWhere)
  assert.deepEqual(rows, [{ user: process.env.DATABRICKS_CLIENT_ID, database: process.env.PGDATABASE }])
  assert.deepEqual(app.calls, { oauth: 1, postgres: 1, database: 0 })
})

test('the environment of a deployment is enough, with a personal access token', async () => {
  app.environment({}, { auth: 'pat' })
  const { rows } = await app.pool().query(whoAndWhere)
  assert.deepEqual(rows, [{ user: 'developer@example.com', database: process.env.PGDATABASE }])
  assert.deepEqual(app.calls, { oauth: 0, postgres: 1, database: 0 })
})

test('the user falls back to the service principal', async () => {
  app.environment({ PGUSER: undefined })
  const { rows } = await app.pool().query(whoAndWhere)
  assert.equal(rows[0].user, process.env.DATABRICKS_CLIENT_ID)
})

test('aliases of variables are read', async () => {
  const { DATABRICKS_HOST, PGHOST, PGDATABASE } = app.emulator.env
  app.environment({
    ...{ DATABRICKS_HOST: undefined, DATABRICKS_WORKSPACE_URL: DATABRICKS_HOST },
    ...{ PGHOST: undefined, LAKEBASE_HOSTNAME: PGHOST },
    ...{ PGDATABASE: undefined, LAKEBASE_DATABASE: PGDATABASE },
  })
  const { rows } = await app.pool().query(whoAndWhere)
  assert.equal(rows[0].database, PGDATABASE)
})

test('a variable beats its alias, and an empty one counts as not set', async () => {
  const { PGHOST, PGDATABASE } = app.emulator.env
  app.environment({ LAKEBASE_HOSTNAME: 'alias.invalid', PGDATABASE: '', LAKEBASE_DATABASE: PGDATABASE })
  const pool = app.pool()
  assert.equal(pool.options.host, PGHOST)
  assert.equal(pool.options.database, PGDATABASE)
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('options beat variables', async () => {
  const { DATABRICKS_HOST, PGHOST, PGPORT, PGDATABASE, LAKEBASE_ENDPOINT } = app.emulator.env
  const { DATABRICKS_TOKEN } = app.emulator.envFor({ auth: 'pat' })
  app.environment({
    DATABRICKS_HOST: 'https://variable.invalid',
    LAKEBASE_ENDPOINT: 'projects/variable/branches/variable/endpoints/variable',
    PGHOST: 'variable.invalid',
    PGPORT: '1',
    PGDATABASE: 'variable',
    PGUSER: 'variable',
    PGSSLMODE: 'verify-ca',
    PGAPPNAME: 'variable',
  })
  const pool = app.pool({
    databricksHost: DATABRICKS_HOST,
    endpoint: LAKEBASE_ENDPOINT,
    token: DATABRICKS_TOKEN,
    host: PGHOST,
    port: Number(PGPORT),
    database: PGDATABASE,
    user: 'developer@example.com',
    sslMode: 'require',
    application_name: 'option',
  })
  const { rows } = await pool.query(`${whoAndWhere}, current_setting('application_name') as name`)
  assert.deepEqual(rows, [{ user: 'developer@example.com', database: PGDATABASE, name: 'option' }])
  assert.equal(app.calls.oauth, 0, 'a token given as option beats the client credentials of the environment')
})

test('undefined and null options count as not given', async () => {
  const pool = app.pool({ host: undefined, user: null, max: undefined, port: null })
  assert.equal(pool.options.max, 10)
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('numbers may come as text', async () => {
  const pool = app.pool({ port: app.emulator.env.PGPORT, max: '3', idleTimeoutMillis: '1000' })
  assert.deepEqual([pool.options.max, pool.options.idleTimeoutMillis], [3, 1000])
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('the environment is read when the pool is made, not when the package is loaded', async () => {
  const before = createLakebasePool({ max: 1 })
  app.environment({ PGAPPNAME: 'later' })
  const name = async (pool) => (await pool.query("select current_setting('application_name') as name")).rows[0].name
  assert.equal(await name(before), '')
  assert.equal(await name(app.pool()), 'later')
  await before.end()
})

test('defaults are those of the documentation', () => {
  const { max, min, idleTimeoutMillis, connectionTimeoutMillis, maxUses, maxLifetimeSeconds, allowExitOnIdle } = app.pool().options
  assert.deepEqual(
    { max, min, idleTimeoutMillis, connectionTimeoutMillis, maxUses, maxLifetimeSeconds, allowExitOnIdle },
    {
      max: 10,
      min: 0,
      idleTimeoutMillis: 30_000,
      connectionTimeoutMillis: 10_000,
      maxUses: Infinity,
      maxLifetimeSeconds: 0,
      allowExitOnIdle: false,
    },
  )
})
