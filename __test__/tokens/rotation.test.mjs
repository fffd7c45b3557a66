// Tokens that live three seconds, under load, while connections come and go: nobody notices.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const LIFETIME = 3_000
const app = deploy({ tokenLifetimeMillis: LIFETIME, accessTokenLifetimeMillis: LIFETIME })

test('0 failed queries over several token lives, with maxUses, maxLifetimeSeconds and ended idle connections', async () => {
  await app.emulator.query('create table rotation (caller int, call int)')
  const pools = [app.pool({ max: 3, maxUses: 5 }), app.pool({ max: 3, maxLifetimeSeconds: 1 }), app.pool({ max: 3 })]
  const end = Date.now() + 3.5 * LIFETIME
  let written = 0
  const caller = async (number) => {
    const pool = pools[number % pools.length]
    for (let call = 0; Date.now() < end; call++) {
      await pool.query('insert into rotation values ($1, $2)', [number, call])
      written++
      const { rows } = await pool.query('select count(*)::int as calls from rotation where caller = $1', [number])
      assert.equal(rows[0].calls, call + 1)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const terminator = async () => {
    while (Date.now() < end) {
      await app.emulator.terminateConnections({ idleOnly: true })
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
  }
  await Promise.all([terminator(), ...range(12).map(caller)])
  const [{ count }] = await app.emulator.query('select count(*) from rotation')
  assert.equal(Number(count), written)
  const { calls, emulator } = app
  assert.ok(calls.postgres >= 4, `${calls.postgres} credentials for at least 3 lives`)
  assert.ok(calls.postgres <= 30, `${calls.postgres} credentials: fetched again and again`)
  assert.ok(emulator.counts.logins.accepted > 20, 'connections were made all along')
  assert.equal(emulator.counts.logins.refused, 0, 'no token was used that had expired')
})
