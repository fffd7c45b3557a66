// `password`: a native PostgreSQL login in place of a token, as @databricks/lakebase has it.
import assert from 'node:assert/strict'
import { after, before, beforeEach } from 'node:test'
import { createLakebasePool } from 'lakebase-native'
import { setEnvironment } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { postgres } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

const password = 'a pässword: % and /'

let server
before(async () => {
  server = await postgres({ tls: true, host: '127.0.0.1', password })
})
beforeEach(() => setEnvironment({ PGHOST: 'localhost', PGPORT: String(server.port), PGUSER: 'postgres', PGDATABASE: 'postgres' }))
after(() => server.stop())

/** A pool that trusts the server; nothing of Databricks is configured, so a token could not even be asked for. */
function pool(options) {
  return createLakebasePool({ ssl: { ca: server.ca }, max: 2, ...options })
}

async function logsIn(options) {
  const made = pool(options)
  try {
    const { rows } = await made.query('select ssl from pg_stat_ssl where pid = pg_backend_pid()')
    return rows[0].ssl
  } finally {
    await made.end()
  }
}

test('a string', async () => assert.equal(await logsIn({ password }), true))

test('an async function, a function', async () => {
  assert.equal(await logsIn({ password: async () => password }), true)
  assert.equal(await logsIn({ password: () => password }), true)
})

test('a function is called once for each new connection, with where it is for', async () => {
  const calls = []
  const made = pool({
    password: (parameters) => {
      calls.push(parameters)
      return password
    },
  })
  const clients = [await made.connect(), await made.connect()]
  for (const client of clients) client.release()
  await made.query('select 1')
  await made.end()
  assert.equal(calls.length, 2)
  const { host, port, user, database } = calls[0]
  assert.deepEqual({ host, port, user, database }, { host: 'localhost', port: server.port, user: 'postgres', database: 'postgres' })
})

test('what a function throws is what the waiting caller gets', async () => {
  const thrown = new Error('the vault is sealed')
  for (const broken of [() => Promise.reject(thrown), () => { throw thrown }]) {
    const made = pool({ password: broken })
    assert.equal(await failureOf(made.query('select 1')), thrown)
    await made.end()
  }
})

test('a function that gives no string is an error that says so', async () => {
  const made = pool({ password: async () => 42 })
  assert.match((await failureOf(made.query('select 1'))).message, /must be a string/)
  await made.end()
})

test("a wrong password is the server's own error, and is not asked for again", async () => {
  let calls = 0
  const made = pool({ password: () => `wrong ${++calls}` })
  const error = await failureOf(made.query('select 1'))
  assert.equal(error.code, '28P01')
  assert.equal(calls, 1)
  await made.end()
})

test('PGPASSWORD is used when there is neither endpoint nor instance', async () => {
  process.env.PGPASSWORD = password
  assert.equal(await logsIn({}), true)
})

test('a password option beats an endpoint; no token is asked for', async () => {
  setEnvironment({ ...process.env, LAKEBASE_ENDPOINT: 'projects/p/branches/b/endpoints/e', DATABRICKS_HOST: 'https://workspace.invalid' })
  assert.equal(await logsIn({ password }), true)
})

test('no password where the server wants one is an error that says what to set', async () => {
  // DATABASE_URL without a password: nothing says how to log in.
  setEnvironment({ DATABASE_URL: `postgres://postgres@localhost:${server.port}/postgres` })
  const made = pool({})
  const error = await failureOf(made.query('select 1'))
  assert.equal(error.name, 'AuthenticationError')
  assert.equal(error.code, 'PASSWORD_MISSING')
  assert.match(error.message, /set password/)
  await made.end()
})
