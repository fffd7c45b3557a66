// Clocks that jump or disagree.
import assert from 'node:assert/strict'
import { CredentialError, getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const HOUR = 3_600_000
const app = deploy()

test("a workspace's clock that jumps ahead ends tokens early; the next login gets a new one", async () => {
  const old = await getToken()
  const pool = app.pool({ max: 2 })
  const open = await pool.connect()
  app.emulator.advanceClock(2 * HOUR)
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  assert.notEqual(await getToken(), old)
  assert.equal((await open.query('select 1 as one')).rows[0].one, 1, 'open connections outlive their token')
  open.release()
  app.emulator.advanceClock(-2 * HOUR)
})

test('a token that is over when it comes is an error that tells which clock is how far off', async () => {
  app.emulator.advanceClock(-3 * HOUR)
  const error = await failureOf(app.pool().query('select 1'))
  assert.ok(error instanceof CredentialError)
  assert.equal(error.code, 'TOKEN_EXPIRED')
  assert.match(error.hint, /this machine is (10[789]\d\d) s ahead of the workspace's/)
  app.emulator.advanceClock(3 * HOUR)
  assert.ok(await getToken())
})

test('a clock that is a little off does not matter', async () => {
  for (const minutes of [-20, 20]) {
    app.environment({ NO_PROXY: `${minutes}.invalid` })
    app.emulator.advanceClock(minutes * 60_000)
    assert.equal((await app.pool().query('select 1 as one')).rows[0].one, 1)
    app.emulator.advanceClock(-minutes * 60_000)
  }
})
