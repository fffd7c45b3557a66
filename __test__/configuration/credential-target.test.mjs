// Autoscaling or Provisioned: which API a credential is asked of, with what.
import assert from 'node:assert/strict'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const one = async (pool) => (await pool.query('select 1 as one')).rows[0].one

test('an endpoint asks the Autoscaling API', async () => {
  assert.equal(await one(app.pool()), 1)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 1, database: 0 })
})

test('an instance asks the Provisioned API', async () => {
  app.environment({}, { tier: 'provisioned' })
  assert.equal(await one(app.pool()), 1)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 0, database: 1 })
})

test('an endpoint or instance given as option beats the variable of the other', async () => {
  assert.equal(await one(app.pool({ instanceName: app.emulator.instance })), 1)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 0, database: 1 })
  app.environment({}, { tier: 'provisioned' })
  assert.equal(await one(app.pool({ endpoint: app.emulator.endpoint })), 1)
  assert.equal(app.calls.postgres, 1)
})

for (const tier of ['autoscaling', 'provisioned']) {
  test(`claims reach the ${tier} API`, async () => {
    app.environment({}, { tier })
    const claims = [{ permission_set: 'READ_ONLY', resources: [{ table_name: 'main.shop.orders' }] }]
    assert.equal(await one(app.pool({ claims })), 1)
    // The emulator checks them as the API does, so what it says of wrong ones proves that they came.
    const error = await failureOf(getToken({ claims: [{ permission_set: 'EVERYTHING' }] }))
    assert.equal(error.name, 'CredentialError')
    assert.equal(error.status, 400)
    assert.match(error.message, /permission_set must be READ_ONLY/)
  })
}

test('credentials with other claims are other credentials', async () => {
  const claim = (table_name) => ({ claims: [{ permission_set: 'READ_ONLY', resources: [{ table_name }] }] })
  const [without, orders, customers, ordersAgain] = await Promise.all([
    getToken(),
    getToken(claim('orders')),
    getToken(claim('customers')),
    getToken(claim('orders')),
  ])
  assert.equal(new Set([without, orders, customers]).size, 3)
  assert.equal(ordersAgain, orders)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 3, database: 0 })
})
