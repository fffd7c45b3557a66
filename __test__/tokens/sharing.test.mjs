// One cache per process: pools, getToken() and everything else of one identity share one credential and one fetch.
import assert from 'node:assert/strict'
import { getCredential, getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

for (const tier of ['autoscaling', 'provisioned']) {
  test(`1,000 concurrent first callers of getToken() make one call to each API (${tier})`, async () => {
    app.environment({}, { tier })
    const tokens = await Promise.all(range(1000).map(() => getToken()))
    assert.equal(new Set(tokens).size, 1)
    assert.deepEqual(app.calls, { oauth: 1, postgres: Number(tier === 'autoscaling'), database: Number(tier === 'provisioned') })
  })
}

test('1,000 concurrent first callers of many pools, clients and getToken() make one call to each API', async () => {
  const pools = range(20).map(() => app.pool({ max: 2 }))
  const queries = range(500).map((i) => pools[i % pools.length].query('select $1::int as i', [i]))
  const tokens = range(250).flatMap((i) => [getToken(), pools[i % pools.length].getToken()])
  const results = await Promise.all(queries)
  assert.deepEqual(results.map(({ rows }) => rows[0].i), range(500))
  assert.equal(new Set(await Promise.all(tokens)).size, 1)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 1, database: 0 })
})

test('later callers make no call', async () => {
  const token = await getToken()
  app.emulator.resetCounts()
  assert.equal(await getToken(), token)
  const pool = app.pool()
  assert.equal(await pool.getToken(), token)
  await pool.query('select 1')
  assert.deepEqual(app.calls, { oauth: 0, postgres: 0, database: 0 })
})

test('endpoints of one identity share its access token', async () => {
  const tokens = await Promise.all([
    getToken(),
    getToken({ endpoint: 'projects/emulator/branches/development/endpoints/primary' }),
    getToken({ instanceName: app.emulator.instance }),
  ])
  assert.equal(new Set(tokens).size, 3)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 2, database: 1 })
})

test('identities share nothing', async () => {
  const { DATABRICKS_TOKEN: token } = app.emulator.envFor({ auth: 'pat' })
  const [principal, user] = await Promise.all([getToken(), getToken({ token })])
  assert.notEqual(principal, user)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 2, database: 0 })
})

test('a wrong secret never gets what the right one has fetched', async () => {
  await getToken()
  await assert.rejects(getToken({ clientId: app.emulator.env.DATABRICKS_CLIENT_ID, clientSecret: 'dose-not-the-right-one' }), {
    name: 'AuthenticationError',
  })
})

test('getCredential() tells the expiry; refresh fetches a new one for everybody', async () => {
  const first = await getCredential()
  assert.ok(first.expiresAt instanceof Date)
  assert.equal(first.expiresAt.getTime() > Date.now(), true)
  const second = await getCredential(undefined, { refresh: true })
  assert.notEqual(second.token, first.token)
  assert.equal(await getToken(), second.token)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 2, database: 0 })
})
