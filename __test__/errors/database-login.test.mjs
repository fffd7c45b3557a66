// The database, or the proxy in front of it, refuses the login.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { checkError, refusal, SHORT } from '../support/refusals.mjs'
import { test } from '../support/test.mjs'
import { failureOf } from '../support/outcome.mjs'

const app = deploy()

test('a role that does not exist', async () => {
  const error = await refusal(app, { user: 'nobody@example.com' }, {
    name: 'AuthenticationError',
    code: '28P01',
    message: /nobody@example\.com/,
    hint: /role "nobody@example\.com" exist in PostgreSQL/,
  })
  assert.equal(error.cause.code, '28P01')
})

test('a database that does not exist', () =>
  refusal(app, { database: 'no_such_database' }, { name: 'error', code: '3D000', message: /no_such_database/ }))

test('a password of PostgreSQL that is wrong', () =>
  refusal(app, { password: 'a wrong password, and long' }, { name: 'error', code: '28P01', message: /password authentication failed/ }))

test('an endpoint that the proxy does not know', () =>
  refusal(app, faulty('unknown-endpoint'), { name: 'error', code: 'XX000', message: /endpoint could not be found/ }))

test('an endpoint that is disabled', () =>
  refusal(app, faulty('endpoint-disabled'), { name: 'error', code: 'XX000', message: /endpoint is disabled/ }))

/** Sets the fault; without options for the pool. */
function faulty(error) {
  app.emulator.faults.database({ kind: 'error', error })
  return {}
}

for (const error of ['starting-up', 'too-many-connections', 'compute-unreachable', 'too-many-attempts']) {
  test(`${error}, for longer than connectionTimeoutMillis: the server's own error, not a timeout`, async () => {
    app.emulator.faults.database({ kind: 'error', error })
    const code = { 'starting-up': '57P03', 'too-many-connections': '53300' }[error] ?? 'XX000'
    await refusal(app, SHORT, { name: 'error', code })
    assert.ok(app.emulator.counts.logins.refused > 1, 'it was tried again')
  })
}

for (const error of ['unknown-endpoint', 'endpoint-disabled']) {
  test(`${error} is not tried again`, async () => {
    app.emulator.faults.database({ kind: 'error', error })
    await failureOf(app.pool().query('select 1'))
    assert.equal(app.emulator.counts.logins.refused, 1)
  })
}

test('the next caller tries again', async () => {
  app.emulator.faults.database({ kind: 'error', error: { code: '42501', message: 'no' }, times: 1 })
  const pool = app.pool()
  checkError(await failureOf(pool.query('select 1')), { name: 'error', code: '42501' })
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})
