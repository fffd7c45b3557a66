// docs/orms.md, connect-pg-simple.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

const app = await ormApp('connect-pg-simple')
let store
let pool
app.start(async (module) => {
  ;({ store, pool } = module)
})

const call = (method, ...args) => new Promise((resolve, reject) => store[method](...args, (error, value) => (error ? reject(error) : resolve(value))))

test('its table is made; a session is set, got and destroyed', async () => {
  const session = { cookie: { maxAge: 60_000 }, name: 'Ada' }
  await call('set', 'a', session)
  assert.deepEqual(await call('get', 'a'), session)
  await call('destroy', 'a')
  assert.equal(await call('get', 'a'), undefined)
})

test("an error is PostgreSQL's", async () => {
  await pool.query('alter table session rename to elsewhere')
  await assert.rejects(call('destroy', 'a'), { code: '42P01' })
})

test('the pool is ended by itself', async () => {
  await store.close()
  await pool.end()
  await app.sessionsEnded()
})
