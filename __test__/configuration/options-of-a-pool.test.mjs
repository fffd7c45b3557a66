// The options of a pool make another pool like it, with what is hidden in them.
import assert from 'node:assert/strict'
import { createLakebasePool } from 'lakebase-native'
import { deploy, setEnvironment } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: `create role app_login login password 'native-secret'` })

test('a token and its workspace', async () => {
  const { DATABRICKS_HOST: databricksHost, LAKEBASE_ENDPOINT: endpoint } = app.emulator.env
  const { PGHOST: host, PGPORT: port, PGDATABASE: database, PGUSER: user } = app.emulator.env
  const { DATABRICKS_CLIENT_ID: clientId, DATABRICKS_CLIENT_SECRET: clientSecret, NODE_EXTRA_CA_CERTS } = app.emulator.env
  setEnvironment({ NODE_EXTRA_CA_CERTS })
  const first = createLakebasePool({ databricksHost, endpoint, clientId, clientSecret, host, port, database, user, max: 2 })
  const second = createLakebasePool(first.options)
  assert.equal(second.options.clientSecret, clientSecret)
  assert.equal(second.options.max, 2)
  assert.ok(!Object.keys(second.options).includes('clientSecret'))
  assert.deepEqual((await second.query('select current_user as who')).rows, [{ who: user }])
  assert.equal(await second.getToken(), await first.getToken())
  await Promise.all([first.end(), second.end()])
})

test('an ssl object', async () => {
  const { ca } = app.emulator
  const { NODE_EXTRA_CA_CERTS: _file, ...env } = app.emulator.env
  setEnvironment({ ...env, NODE_EXTRA_CA_CERTS: app.emulator.env.NODE_EXTRA_CA_CERTS })
  const first = createLakebasePool({ ssl: { ca } })
  const second = createLakebasePool(first.options)
  assert.deepEqual(second.options.ssl, { ca })
  assert.ok(!JSON.stringify(second.options).includes('BEGIN CERTIFICATE'))
  assert.equal((await second.query('select 1 as one')).rows[0].one, 1)
  await Promise.all([first.end(), second.end()])
})

test('a password', async () => {
  setEnvironment({})
  const { host, port, database, ssl } = app.address()
  const options = { host, port: Number(port), database, user: 'app_login', password: 'native-secret', ssl }
  const first = createLakebasePool(options)
  const second = createLakebasePool(createLakebasePool(first.options).options)
  assert.equal(second.options.password, 'native-secret')
  assert.equal(JSON.stringify(second.options).includes('native-secret'), false)
  await first.end()
  await second.end()
})
