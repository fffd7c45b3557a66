// LAKEBASE_LOG prints what the pool does to standard error: no secret, no statement, no value.
import assert from 'node:assert/strict'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { assertHidden, secretsOf } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

const program = async () => {
  const { createLakebasePool } = await import('lakebase-native')
  const pool = createLakebasePool({ max: 2 })
  await pool.query('select $1::text as shown', ['the value of a parameter'])
  await pool.query("select 'the constant of a statement'::int").catch(() => {})
  const client = await pool.connect()
  client.release()
  await pool.end()
}

test('debug: fetches, connections, checkouts and queries, without what they are about', async () => {
  const { code, stderr } = await run(program, { env: { LAKEBASE_LOG: 'debug' } })
  assert.equal(code, 0, stderr)
  for (const said of ['fetching a database credential', 'database credential fetched', 'connecting', 'connected', 'query ended', 'query failed', '22P02', 'connection closed']) {
    assert.ok(stderr.includes(said), `${said}: ${stderr}`)
  }
  assertHidden([...secretsOf(app.emulator), 'the value of a parameter', 'the constant of a statement'], stderr)
})

test('info: no queries', async () => {
  const { stderr } = await run(program, { env: { LAKEBASE_LOG: 'info' } })
  assert.ok(stderr.includes('connected') && !stderr.includes('query ended'), stderr)
})

test('unset and off: nothing; something else: what there is to choose from', async () => {
  assert.equal((await run(program)).stderr, '')
  assert.equal((await run(program, { env: { LAKEBASE_LOG: 'off' } })).stderr, '')
  assert.match((await run(program, { env: { LAKEBASE_LOG: 'loud' } })).stderr, /LAKEBASE_LOG is neither off, error, warn, info, debug nor trace/)
})
