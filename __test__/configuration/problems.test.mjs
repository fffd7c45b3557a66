// Bad configuration: one error that lists everything, and shows no secret.
import assert from 'node:assert/strict'
import { beforeEach } from 'node:test'
import { ConfigurationError, LakebaseError, createLakebasePool, getToken } from 'lakebase-native'
import { setEnvironment } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { assertHidden, shown } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const deployed = {
  DATABRICKS_HOST: 'https://workspace.example.com',
  LAKEBASE_ENDPOINT: 'projects/p/branches/b/endpoints/e',
  PGHOST: 'database.example.com',
  PGDATABASE: 'databricks_postgres',
  DATABRICKS_CLIENT_ID: 'client',
  DATABRICKS_CLIENT_SECRET: 'dose0123456789abcdef0123456789abcdef',
}

beforeEach(() => setEnvironment(deployed))

/** The error of a pool with these options, in an environment with these changes. */
async function problemsOf(options, variables = {}) {
  setEnvironment({ ...deployed, ...variables })
  const error = await failureOf(() => createLakebasePool(options))
  assert.ok(error instanceof ConfigurationError && error instanceof LakebaseError, error)
  assert.equal(error.name, 'ConfigurationError')
  assert.equal(error.code, 'CONFIGURATION_ERROR')
  for (const { option, variable, found, expected } of error.problems) {
    assert.ok(expected, 'each problem says what would be right')
    for (const text of [option, variable, found, expected]) if (text) assert.ok(error.message.includes(text), `the message has ${text}`)
  }
  return error
}

test('nothing configured: everything that is missing is named at once, with option and variable', async () => {
  setEnvironment({})
  const { problems } = await failureOf(() => createLakebasePool())
  const named = problems.map(({ option, variable }) => [option, variable])
  for (const wanted of [
    ['databricksHost', 'DATABRICKS_HOST'],
    ['endpoint', 'LAKEBASE_ENDPOINT'],
    ['host', 'PGHOST'],
    ['database', 'PGDATABASE'],
    ['user', 'PGUSER'],
  ]) {
    assert.ok(named.some(([option, variable]) => option === wanted[0] && variable === wanted[1]), `${wanted} in ${JSON.stringify(named)}`)
  }
  assert.ok(problems.some(({ expected }) => expected.includes('DATABRICKS_CLIENT_ID')), 'says how to authenticate')
})

test('problems of options and of variables are in one error, each with what was found', async () => {
  const { problems } = await problemsOf({ max: 0, idleTimeoutMillis: 'soon', sslMode: 'on' }, { PGPORT: '70000', DATABRICKS_HOST: undefined })
  const found = Object.fromEntries(problems.map(({ option, variable, found }) => [option, { variable, found }]))
  assert.deepEqual(Object.keys(found).sort(), ['databricksHost', 'idleTimeoutMillis', 'max', 'port', 'sslMode'])
  assert.equal(found.port.variable, 'PGPORT')
  assert.match(found.port.found, /70000/)
  assert.match(found.idleTimeoutMillis.found, /soon/)
  assert.match(found.max.found, /0/)
})

for (const [option, value, variables] of [
  ['max', 0],
  ['max', 1.5],
  ['max', NaN],
  ['max', Infinity],
  ['max', 10_001],
  ['min', -1],
  ['min', 11],
  ['port', 0],
  ['port', 65_536],
  ['port', 'five'],
  ['idleTimeoutMillis', -1],
  ['connectionTimeoutMillis', {}],
  ['maxUses', -1],
  ['maxLifetimeSeconds', '1h'],
  ['allowExitOnIdle', 'perhaps'],
  ['statement_timeout', '5s'],
  ['query_timeout', -1],
  ['statementCacheSize', -1],
  ['maxPipeline', 0],
  ['pipelineWrites', 'perhaps'],
  ['tokenRefreshBufferMillis', 3_300_001],
  ['host', 'https://database.example.com'],
  ['host', 'ep-1-pooler.database.example.com'],
  ['endpoint', 'primary'],
  ['databricksHost', 'http://workspace.example.com'],
  ['databricksHost', 'ftp://workspace.example.com'],
  ['claims', 'everything'],
  ['sslMode', 'disable'],
  ['sslMode', 'maybe'],
  ['ssl', { rejectUnauthorized: true, checkServerIdentity() {} }],
  ['client_encoding', 'latin1'],
  ['user', 5],
  ['database', () => 'name'],
  ['password', 5],
  ['connectionString', 'mysql://host/database'],
]) {
  test(`${option}: ${String(JSON.stringify(value) ?? value)} is refused, naming the option`, async () => {
    const { problems } = await problemsOf({ [option]: value }, variables)
    assert.ok(problems.length >= 1)
    for (const problem of problems) assert.match(problem.option, new RegExp(`^${option}`))
  })
}

test('a variable that is wrong is named as the variable', async () => {
  for (const [variable, value, option] of [
    ['PGPORT', 'x', 'port'],
    ['PGSSLMODE', 'on', 'sslMode'],
    ['DATABRICKS_HOST', 'http://workspace.example.com', 'databricksHost'],
    ['LAKEBASE_ENDPOINT', 'primary', 'endpoint'],
  ]) {
    const { problems } = await problemsOf({}, { [variable]: value })
    assert.deepEqual(problems.map((problem) => [problem.option, problem.variable]), [[option, variable]])
  }
})

test('unknown options are named, with what was probably meant', async () => {
  const { problems } = await problemsOf({ conectionTimeoutMillis: 5, Max: 3, somethingElse: true })
  const expected = Object.fromEntries(problems.map(({ option, expected }) => [option, expected]))
  assert.match(expected.conectionTimeoutMillis, /connectionTimeoutMillis/)
  assert.match(expected.Max, /\bmax\b/)
  assert.ok('somethingElse' in expected)
})

test('endpoint and instance together are an error, as are two ways to authenticate', async () => {
  const target = await problemsOf({}, { LAKEBASE_INSTANCE_NAME: 'instance' })
  assert.match(target.message, /LAKEBASE_ENDPOINT|endpoint/)
  assert.match(target.message, /LAKEBASE_INSTANCE_NAME|instanceName/)
  const auth = await problemsOf({}, { DATABRICKS_TOKEN: 'dapi0123456789abcdef' })
  assert.match(auth.message, /DATABRICKS_TOKEN|token/)
  assert.match(auth.message, /DATABRICKS_CLIENT_SECRET|clientSecret/)
})

test('an id without its secret says that the secret is missing', async () => {
  const { problems } = await problemsOf({}, { DATABRICKS_CLIENT_SECRET: undefined })
  assert.deepEqual(problems.map(({ variable }) => variable), ['DATABRICKS_CLIENT_SECRET'])
})

test('getToken() rejects with the same error, about tokens only', async () => {
  setEnvironment({})
  const error = await failureOf(getToken())
  assert.ok(error instanceof ConfigurationError)
  const options = error.problems.map(({ option }) => option)
  assert.ok(options.includes('databricksHost') && options.includes('endpoint'))
  assert.ok(!options.includes('host') && !options.includes('database'), 'where the database is does not matter for a token')
})

test('the stack leads to who called', async () => {
  function whoMadeThePool() {
    return createLakebasePool({ max: 0 })
  }
  assert.match((await failureOf(whoMadeThePool)).stack, /whoMadeThePool/)
})

test('no secret is in the error, whatever is wrong with it or beside it', async () => {
  const secret = 's3cr3t-0123456789-abcdef-ghijkl'
  for (const [options, variables] of [
    [{ max: 0, token: secret, clientId: undefined }, { DATABRICKS_CLIENT_ID: undefined, DATABRICKS_CLIENT_SECRET: undefined }],
    [{ max: 0, clientSecret: secret }],
    [{ token: [secret] }],
    [{ clientSecret: { secret } }],
    [{ password: [secret] }],
    [{ max: 0, password: secret }],
    [{ connectionString: `mysql://user:${secret}@host/database` }],
    [{ connectionString: `postgres://user:${secret}@host:port/database` }],
    [{ connectionString: `postgres://user:${secret}/x@host/database` }],
    [{ connectionString: secret }],
    [{ max: 0, connectionString: `host=h password='${secret}'` }],
    [{ databricksHost: `http://user:${secret}@workspace.example.com` }],
    [{ databricksHost: `https://user:${secret}@workspace.example.com` }],
    [{ ssl: { key: secret, cert: secret } }],
    [{ ssl: { ca: secret } }],
    [{ ssl: { passphrase: secret } }],
    [{ max: 0 }, { DATABRICKS_CLIENT_SECRET: secret }],
    [{ max: 0 }, { DATABRICKS_TOKEN: secret }],
    [{}, { LAKEBASE_ENDPOINT: undefined, DATABASE_URL: `postgres://user:${secret}@host:port/database` }],
    [{ max: 0 }, { LAKEBASE_ENDPOINT: undefined, PGPASSWORD: secret }],
    [{ max: 0 }, { HTTPS_PROXY: `http://user:${secret}@proxy.example.com:8080` }],
  ]) {
    assertHidden([secret], shown(await problemsOf(options, variables)))
  }
})

test('what is no object of options is one problem, not a defect', async () => {
  for (const wrong of [5, true, [1], 5n, Symbol('x'), { host: '\ud800' }]) {
    const error = await failureOf(async () => createLakebasePool(wrong))
    assert.deepEqual([error.name, error.problems.length, error.problems[0].expected], ['ConfigurationError', 1, 'an object with options'], String(wrong))
  }
})

test('hooks and classes that are none are named with the rest', async () => {
  const wrong = { log: 5, verify: 'x', onConnect: {}, Promise: true, Client: [] }
  const { problems } = await failureOf(async () => createLakebasePool({ ...wrong, max: 0 }))
  assert.deepEqual(problems.map(({ option }) => option).sort(), [...Object.keys(wrong), 'max'].sort())
  assert.deepEqual(problems.find(({ option }) => option === 'verify').expected, 'a function')
})
