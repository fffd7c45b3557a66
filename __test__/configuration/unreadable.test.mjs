// Options that cannot be read or written down are a ConfigurationError that names them, whatever they are.
import assert from 'node:assert/strict'
import { beforeEach } from 'node:test'
import { ConfigurationError, createLakebasePool, getDatabaseUrl, getToken } from 'lakebase-native'
import { Client, Pool } from 'lakebase-native/pg'
import { setEnvironment } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { assertHidden, shown } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

beforeEach(() =>
  setEnvironment({
    DATABRICKS_HOST: 'https://workspace.example.com',
    LAKEBASE_ENDPOINT: 'projects/p/branches/b/endpoints/e',
    PGHOST: 'database.example.com',
    PGDATABASE: 'databricks_postgres',
    DATABRICKS_CLIENT_ID: 'client',
    DATABRICKS_CLIENT_SECRET: 'dose0123456789abcdef0123456789abcdef',
  }),
)

const secret = 'what the getter says 0123'
const fail = () => {
  throw new Error(secret)
}
const circular = { inside: {} }
circular.inside.again = circular
const endless = () => new Proxy({ a: 1, b: 2 }, { get: (_, name) => (name === 'toJSON' ? undefined : endless()) })

const values = {
  'an object that contains itself': circular,
  'an object whose toJSON() throws': { toJSON: fail },
  'an object whose toJSON() gives itself': { toJSON: () => circular },
  'a proxy that throws': new Proxy({}, { get: fail, ownKeys: fail }),
  'a proxy without an end': endless(),
  'a symbol': Symbol(secret),
  'an object with a getter that throws': { get rejectUnauthorized() { return fail() } },
}
const options = ['host', 'port', 'user', 'database', 'password', 'token', 'endpoint', 'claims', 'ssl', 'sslMode', 'max', 'connectionString', 'statement_timeout']

function check(error, option) {
  assert.ok(error instanceof ConfigurationError, error?.stack)
  assert.ok(error.problems.some((problem) => problem.option === option || problem.option?.startsWith(`${option}.`)), error.message)
  assert.ok(error.message.includes(option))
  assertHidden([secret], shown(error))
}

for (const [what, value] of Object.entries(values)) {
  test(`createLakebasePool(): ${what}`, async () => {
    for (const option of options) check(await failureOf(() => createLakebasePool({ [option]: value })), option)
  })
}

test('createLakebasePool(): a getter that throws, and options that are a proxy that throws', async () => {
  for (const option of options) check(await failureOf(() => createLakebasePool(Object.defineProperty({}, option, { enumerable: true, get: fail }))), option)
  const error = await failureOf(() => createLakebasePool(new Proxy({}, { get: fail, ownKeys: fail })))
  assert.ok(error instanceof ConfigurationError, error.stack)
})

test('createLakebasePool(): members of claims and of ssl', async () => {
  check(await failureOf(() => createLakebasePool({ claims: [{ permission_set: 'READ_ONLY', resources: circular }] })), 'claims')
  check(await failureOf(() => createLakebasePool({ ssl: { ca: circular } })), 'ssl.ca')
  check(await failureOf(() => createLakebasePool({ ssl: { get ca() { return fail() } } })), 'ssl.ca')
})

test('getToken() and getDatabaseUrl()', async () => {
  for (const value of [circular, Symbol('token'), { toJSON: fail }]) {
    for (const option of ['token', 'endpoint', 'claims']) {
      check(await failureOf(getToken({ [option]: value })), option)
      check(await failureOf(getDatabaseUrl({ [option]: value })), option)
    }
  }
  check(await failureOf(getToken({ get token() { return fail() } })), 'token')
  check(await failureOf(getDatabaseUrl({ get password() { return fail() } })), 'password')
})

test('lakebase-native/pg: the error of the first connection', async () => {
  const ssl = { ca: circular }
  const pool = new Pool({ ssl })
  assert.match((await failureOf(pool.query('select 1'))).message, /ssl\.ca/)
  await pool.end()
  const client = new Client({ ssl })
  client.on('error', () => {})
  assert.match((await failureOf(client.connect())).message, /ssl\.ca/)
})

test('what the facade serves may be anything, and bigints and boxed values are what they hold', () => {
  const types = { getTypeParser: () => String, self: circular }
  const pool = createLakebasePool({ types, log: () => {}, max: 5n, host: new String('h.example'), port: new Number(5433) })
  assert.deepEqual([pool.options.max, pool.options.host, pool.options.port], [5, 'h.example', 5433])
})
