// Settings that reach the PostgreSQL session, through the emulator's front, which forwards only what Lakebase's does.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

/** Values of PostgreSQL's settings in a session of a pool with these options. */
async function settings(options, ...names) {
  const list = names.map((name) => `current_setting('${name}') as "${name}"`).join(', ')
  const { rows } = await app.pool(options).query(`select ${list}`)
  return rows[0]
}

test('PGAPPNAME and PGOPTIONS', async () => {
  app.environment({ PGAPPNAME: 'my app', PGOPTIONS: '-c search_path=shop,public -c work_mem=8MB' })
  assert.deepEqual(await settings({}, 'application_name', 'search_path', 'work_mem'), {
    application_name: 'my app',
    search_path: 'shop,public',
    work_mem: '8MB',
  })
})

test('application_name and options', async () => {
  const options = { application_name: 'çà', options: '-c search_path=shop' }
  assert.equal((await settings(options, 'search_path')).search_path, 'shop')
})

test('fallback_application_name counts when there is no other', async () => {
  const fallback_application_name = 'fallback'
  assert.equal((await settings({ fallback_application_name }, 'application_name')).application_name, 'fallback')
  app.environment({ PGAPPNAME: 'variable' })
  assert.equal((await settings({ fallback_application_name }, 'application_name')).application_name, 'variable')
})

test('timeouts are set in the session, behind the options of the user', async () => {
  const names = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'search_path']
  const bounds = { statement_timeout: 1500, lock_timeout: '2500', idle_in_transaction_session_timeout: 3500 }
  assert.deepEqual(await settings({ ...bounds, options: '-c statement_timeout=1 -c search_path=shop' }, ...names), {
    statement_timeout: '1500ms',
    lock_timeout: '2500ms',
    idle_in_transaction_session_timeout: '3500ms',
    search_path: 'shop',
  })
})

test('0 and false leave the timeouts of the server', async () => {
  assert.deepEqual(await settings({ statement_timeout: 0, lock_timeout: false }, 'statement_timeout', 'lock_timeout'), {
    statement_timeout: '0',
    lock_timeout: '0',
  })
})

test('statement_timeout ends a statement, and the connection goes on', async () => {
  const pool = app.pool({ statement_timeout: 500, max: 1 })
  assert.equal((await failureOf(pool.query('select pg_sleep(30)'))).code, '57014')
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  assert.equal(app.emulator.counts.logins.accepted, 1)
})

test('lock_timeout ends the wait for a lock', async () => {
  const pool = app.pool({ lock_timeout: 50 })
  const holder = await pool.connect()
  await holder.query('begin; select pg_advisory_xact_lock(7)')
  assert.equal((await failureOf(pool.query('select pg_advisory_xact_lock(7)'))).code, '55P03')
  await holder.query('rollback')
  holder.release()
})

test('idle_in_transaction_session_timeout ends the session, and the pool replaces it', async () => {
  const pool = app.pool({ idle_in_transaction_session_timeout: 50, max: 1 })
  const client = await pool.connect()
  const lost = new Promise((resolve) => client.once('error', resolve))
  await client.query('begin')
  assert.equal((await lost).code, '25P03')
  client.release()
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('query_timeout gives a query up on this side, as node-postgres does; the server cancels it, and its connection is used on', async () => {
  const pool = app.pool({ query_timeout: 200, max: 1 })
  const pid = async () => (await pool.query({ text: 'select pg_backend_pid() as pid', query_timeout: 60_000 })).rows[0].pid
  const before = await pid()
  assert.equal((await failureOf(pool.query('select pg_sleep(600)'))).message, 'Query read timeout')
  assert.equal(await pid(), before)
  assert.deepEqual(await app.emulator.query("select pid from pg_stat_activity where state = 'active' and query like '%pg_sleep%' and pid <> pg_backend_pid()"), [])
})

test('query_timeout on a client: what waits behind the query runs when the server has cancelled it', async () => {
  const client = await app.pool({ query_timeout: 200 }).connect()
  const slow = failureOf(client.query('select pg_sleep(600)'))
  const next = client.query({ text: 'select 1 as one', query_timeout: 60_000 })
  assert.equal((await slow).message, 'Query read timeout')
  assert.equal((await next).rows[0].one, 1)
  client.release()
})

test('query_timeout when the server cannot be asked to cancel: the connection is closed, and the pool makes another', async () => {
  const pool = app.pool({ query_timeout: 500, max: 1 })
  const pid = async () => (await pool.query({ text: 'select pg_backend_pid() as pid', query_timeout: 60_000 })).rows[0].pid
  const before = await pid()
  const query = failureOf(pool.query('select pg_sleep(600)'))
  app.emulator.refuseConnections('database')
  const removed = once(pool, 'remove')
  assert.equal((await query).message, 'Query read timeout')
  await removed
  await app.emulator.acceptConnections('database')
  assert.notEqual(await pid(), before)
  await app.emulator.query(`select pg_terminate_backend(${before})`)
})

test('the encoding is UTF-8 whatever the database prefers', async () => {
  assert.equal((await settings({ client_encoding: 'utf-8', options: '-c search_path=public' }, 'client_encoding')).client_encoding, 'UTF8')
})
