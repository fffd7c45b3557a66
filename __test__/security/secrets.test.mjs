// No secret shows where logs come from: printed objects, errors, the console, the command line.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { format } from 'node:util'
import { ConfigurationError, Client, createLakebasePool, getToken } from 'lakebase-native'
import { run, start } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf } from '../support/outcome.mjs'
import { assertHidden, secretsOf, shown } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const password = 'native-password-0123456789'
const connectionString = `postgres://someone:${password}@localhost/database`

test('pools, their options and their clients, before and after use', async () => {
  const token = await getToken()
  const secrets = secretsOf(app.emulator, token)
  const { DATABRICKS_CLIENT_ID: clientId, DATABRICKS_CLIENT_SECRET: clientSecret } = app.emulator.env
  const pool = app.pool({ clientId, clientSecret })
  assertHidden(secrets, shown(pool))
  await pool.query('select $1::int', [1])
  const client = await pool.connect()
  for (const object of [pool, pool.options, client, pool.query('select 1'), await pool.query('select 1')]) assertHidden(secrets, shown(object))
  client.release()
  await pool.end()
  assertHidden(secrets, shown(pool))
})

test('secrets that are given as options', () => {
  const { DATABRICKS_TOKEN: token } = app.emulator.envFor({ auth: 'pat' })
  const key = '-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg\n-----END PRIVATE KEY-----'
  const pools = [{ token }, { password }, { connectionString }, { password: () => password }].map((options) => app.pool(options))
  for (const pool of pools) {
    assertHidden([token, password], shown(pool))
    assertHidden([token, password], shown({ ...pool.options }))
    assertHidden([token, password], format('%O %j %s', pool, pool.options, pool))
  }
  const client = new Client({ host: 'localhost', password, ssl: { key, cert: key } })
  assertHidden([password, 'MIGHAgEAMBMGByqGSM49'], shown(client))
})

test('console.log("%o", pool), which shows what is hidden, too', () => {
  const { DATABRICKS_TOKEN: token } = app.emulator.envFor({ auth: 'pat' })
  for (const options of [{ token }, { password }, { connectionString }]) assertHidden([token, password], format('%o', app.pool(options)))
})

test('errors at every stage', async () => {
  const token = await getToken()
  const secrets = secretsOf(app.emulator, token)
  const failures = [
    () => app.emulator.faults.api({ kind: 'status', status: 401 }),
    () => app.emulator.faults.api({ kind: 'malformed', body: `{"token": "${token}", ` }),
    () => app.emulator.faults.api({ kind: 'malformed', body: JSON.stringify({ access_token: [token], token: [token] }) }),
    () => app.emulator.faults.database({ kind: 'error', error: { code: '28P01', message: 'no' } }),
    () => app.emulator.faults.database({ kind: 'reset', at: 'login' }),
    () => app.emulator.setBlackHole(true),
  ]
  for (const fail of failures) {
    app.environment({ NO_PROXY: `${failures.indexOf(fail)}.invalid` })
    fail()
    for (const work of [() => app.pool({ connectionTimeoutMillis: 500 }).query('select 1'), () => app.pool({ connectionTimeoutMillis: 500 }).connect()]) {
      assertHidden(secrets, shown(await failureOf(work)))
    }
    await app.emulator.recover()
  }
})

test('configuration errors', async () => {
  for (const options of [{ max: -1, password }, { max: -1, connectionString }, { connectionString: connectionString.replace('/database', ':port/database') }, { tokn: password }]) {
    const error = await failureOf(() => createLakebasePool(options))
    assert.ok(error instanceof ConfigurationError)
    assertHidden([password], shown(error))
  }
})

test('what a pool logs, and what is printed when it loses connections', async () => {
  const token = await getToken()
  const lines = []
  const pool = app.pool({ log: (...message) => lines.push(format(...message)) })
  await pool.query('select 1')
  await failureOf(pool.query('select nonsense'))
  const removed = event(pool, 'remove')
  await app.emulator.terminateConnections()
  await removed
  assertHidden(secretsOf(app.emulator, token), lines.join('\n'))
})

test('a process that crashes with its errors unhandled, and its command line', async () => {
  const main = async () => {
    const { createLakebasePool, getToken } = await import('lakebase-native')
    const pool = createLakebasePool({ connectionTimeoutMillis: 500 })
    process.send(await getToken())
    await pool.query('select 1')
    console.log(process.argv, process.execArgv, process.title, pool)
    await new Promise((resolve) => process.once('message', resolve))
    process.disconnect()
    const client = await pool.connect()
    await client.query('select nonsense')
  }
  const child = start(main)
  const token = await child.message()
  const commandLine = process.platform === 'linux' ? readFileSync(`/proc/${child.process.pid}/cmdline`, 'utf8') : ''
  child.process.send('go on')
  const { code, stdout, stderr } = await child.ended
  assert.equal(code, 1)
  assert.match(stderr, /nonsense/)
  assertHidden(secretsOf(app.emulator, token), [commandLine, stdout, stderr].join('\n'))
})

test("debug logs of Node.js and Rust hold nothing either", async () => {
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool()
    await pool.query('select 1')
    await pool.end()
  }
  const token = await getToken()
  const { code, stdout, stderr } = await run(main, { env: { RUST_LOG: 'trace', RUST_BACKTRACE: 'full', NODE_DEBUG: 'net,tls,http', DEBUG: '*' } })
  assert.equal(code, 0)
  assertHidden(secretsOf(app.emulator, token), stdout + stderr)
})
