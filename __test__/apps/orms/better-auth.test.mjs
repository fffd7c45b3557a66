// docs/orms.md, better-auth.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

process.env.BETTER_AUTH_SECRET = 'a secret of the test, which is long enough'
process.env.BETTER_AUTH_URL = 'http://localhost:3000'

const app = await ormApp('better-auth')
let auth
let pool
app.start(async (module) => {
  ;({ auth, pool } = module)
})

const ada = { email: 'ada@example.com', password: 'analytical engine', name: 'Ada' }

test('its tables are made', async () => {
  const { getMigrations } = await app.library('better-auth/db/migration')
  const { runMigrations } = await getMigrations(auth.options)
  await runMigrations()
  const { toBeCreated, toBeAdded } = await getMigrations(auth.options)
  assert.deepEqual([toBeCreated, toBeAdded], [[], []])
})

test('a user signs up, signs in, and has a session', async () => {
  await auth.api.signUpEmail({ body: ada })
  const { headers } = await auth.api.signInEmail({ body: ada, returnHeaders: true })
  const cookie = headers.getSetCookie().map((value) => value.split(';')[0]).join('; ')
  const { user, session } = await auth.api.getSession({ headers: new Headers({ cookie }) })
  assert.deepEqual([user.email, user.name], [ada.email, ada.name])
  assert.ok(session.expiresAt instanceof Date)
  await auth.api.signOut({ headers: new Headers({ cookie }) })
  assert.equal(await auth.api.getSession({ headers: new Headers({ cookie }) }), null)
})

test('an error is mapped', async () => {
  await assert.rejects(auth.api.signUpEmail({ body: ada }), { statusCode: 422 })
  await assert.rejects(auth.api.signInEmail({ body: { ...ada, password: 'another password' } }), { statusCode: 401 })
})

test('the pool is ended by itself', async () => {
  await pool.end()
  await app.sessionsEnded()
})
