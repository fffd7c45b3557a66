// Profiles of .databrickscfg: which is read, when, and what of it counts.
import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'node:test'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf } from '../support/outcome.mjs'
import { assertHidden, shown } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const skip = process.platform === 'win32'
const { PATH, HOME } = process.env
afterEach(() => Object.assign(process.env, { PATH, HOME }))

/** A home directory with these profiles, and no variable that names a workspace or an identity. */
function home(profiles, { mode = 0o600, ...changes } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'lakebase-home-'))
  const file = join(directory, '.databrickscfg')
  writeFileSync(file, profiles)
  chmodSync(file, mode)
  app.environment({ DATABRICKS_HOST: undefined, DATABRICKS_CLIENT_ID: undefined, DATABRICKS_CLIENT_SECRET: undefined, PGUSER: undefined, ...changes })
  process.env.HOME = directory
  process.env.PATH = '/nonexistent'
  return file
}

const m2m = () => {
  const { DATABRICKS_HOST, DATABRICKS_CLIENT_ID, DATABRICKS_CLIENT_SECRET } = app.emulator.env
  return `host = ${DATABRICKS_HOST} # the workspace\nclient_id = ${DATABRICKS_CLIENT_ID}\nclient_secret = ${DATABRICKS_CLIENT_SECRET}\n`
}
const pat = () => `host = ${app.emulator.env.DATABRICKS_HOST}\ntoken = ${app.emulator.envFor({ auth: 'pat' }).DATABRICKS_TOKEN}\n`

test('DEFAULT gives the workspace, the identity and the database user', { skip }, async () => {
  home(`[DEFAULT]\n${m2m()}`)
  const { rows } = await app.pool().query('select current_user as user')
  assert.equal(rows[0].user, app.emulator.env.DATABRICKS_CLIENT_ID)
})

test('the file names another default under __settings__', { skip }, async () => {
  home(`[DEFAULT]\nhost = https://nowhere.invalid\ntoken = dapi-nobody\n[work]\n${pat()}[__settings__]\ndefault_profile = work\n`)
  assert.ok(await getToken())
  assert.equal(app.calls.oauth, 0)
})

test('profile, DATABRICKS_CONFIG_PROFILE and DATABRICKS_CONFIG_FILE choose', { skip }, async () => {
  const file = home(`[work]\n${m2m()}[other]\n${pat()}`)
  assert.ok(await getToken({ profile: 'other' }))
  assert.deepEqual(app.calls, { oauth: 0, postgres: 1, database: 0 })
  process.env.HOME = '/nonexistent'
  Object.assign(process.env, { DATABRICKS_CONFIG_PROFILE: 'work', DATABRICKS_CONFIG_FILE: file })
  assert.ok(await getToken())
  assert.equal(app.calls.oauth, 1)
})

test('options and variables beat the profile', { skip }, async () => {
  home(`[work]\nhost = https://nowhere.invalid\n${m2m().split('\n').slice(1).join('\n')}`, { DATABRICKS_HOST: app.emulator.env.DATABRICKS_HOST, DATABRICKS_CONFIG_PROFILE: 'work' })
  assert.ok(await getToken())
  assert.equal(app.calls.oauth, 1)
})

test('nothing is read where workspace or identity are given and no profile is named', { skip }, async () => {
  home('not even a file of profiles', { mode: 0o666, ...app.emulator.env })
  assert.ok(await getToken())
})

test('a profile that is not there is told, with the file', { skip }, async () => {
  const file = home(`[work]\n${m2m()}`, { DATABRICKS_CONFIG_PROFILE: 'home' })
  const error = await failureOf(getToken())
  assert.equal(error.name, 'ConfigurationError')
  assert.ok(error.message.includes(`${file} has no profile "home"`), error.message)
  assert.deepEqual(error.problems.map(({ option }) => option).includes('profile'), true)
})

test('a file that others can change is refused; one that they can read is warned of, once', { skip }, async () => {
  const file = home(`[DEFAULT]\n${m2m()}`, { mode: 0o622 })
  assert.match((await failureOf(getToken())).message, /can be changed by other users of this machine: chmod 600/)
  chmodSync(file, 0o644)
  const warned = event(process, 'warning', ({ name }) => name === 'LakebaseWarning')
  assert.ok(await getToken())
  const [warning] = await warned
  assert.match(warning.message, /can be read by other users of this machine: chmod 600/)
})

test('two families in one profile are a conflict, unless auth_type decides', { skip }, async () => {
  home(`[DEFAULT]\n${m2m()}${pat().split('\n')[1]}\n`)
  assert.match((await failureOf(getToken())).message, /more than one authorization method: oauth by clientSecret .* and pat by token/)
  home(`[DEFAULT]\n${m2m()}${pat().split('\n')[1]}\nauth_type = pat\n`)
  assert.ok(await getToken())
  assert.equal(app.calls.oauth, 0)
})

test('a secret that is replaced in the file is read at the next fetch', { skip }, async () => {
  const file = home(`[DEFAULT]\n${pat()}`)
  const pool = app.pool({ user: 'developer@example.com' })
  await pool.query('select 1')
  writeFileSync(file, `[DEFAULT]\n${pat().replace(/token = .*/, 'token = dapi-replaced-0123456789')}`)
  pool.clearTokenCache()
  const error = await failureOf(getToken())
  assert.equal(error.status, 401)
  assert.equal(app.requests.at(-1).headers.authorization, 'Bearer dapi-replaced-0123456789')
  assertHidden(['dapi-replaced-0123456789'], shown(error))
  writeFileSync(file, `[DEFAULT]\n${pat()}`)
  assert.ok(await getToken(), 'the mended file counts at once')
})
