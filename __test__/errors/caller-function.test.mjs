// What a function of the caller's throws comes back as the same object, and nothing else is taken for it.
import assert from 'node:assert/strict'
import pg from 'lakebase-native/pg'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('the error of a password function, of onConnect and of authProvider', async () => {
  const thrown = Object.assign(new Error('mine'), { code: 'MINE' })
  const fail = () => {
    throw thrown
  }
  assert.equal(await failureOf(app.pool({ password: fail }).query('select 1')), thrown)
  assert.equal(await failureOf(app.pool({ onConnect: fail }).query('select 1')), thrown)
  assert.equal(await failureOf(app.pool({ authProvider: fail, authType: 'auth-provider' }).query('select 1')), thrown)
  const client = new pg.Client({ ...app.address(), password: fail })
  assert.equal(await failureOf(client.connect()), thrown)
})

test('an error of the server is its own, whatever its message says', async () => {
  const pool = app.pool({ max: 1 })
  for (const message of ['mine', 'a function of the caller\'s has thrown', ...range(30).map((number) => `javascript error ${number}`)]) {
    const error = await failureOf(pool.query(`do $$ begin raise exception '${message.replaceAll("'", "''")}'; end $$`))
    assert.ok(error instanceof pg.DatabaseError, String(error))
    assert.deepEqual([error.message, error.code], [message, 'P0001'])
  }
})
