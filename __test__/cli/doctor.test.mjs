// `lakebase doctor`: every failure it names is provoked and recognized; the table is in the output.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { startEmulator } from 'lakebase-native/emulator'
import { codes } from '../../dist/cli/doctor/diagnoses.js'
import { deploy } from '../support/deployment.mjs'
import { certificateFor, postgres } from '../support/postgres.mjs'
import { assertHidden, secretsOf } from '../support/secrets.mjs'
import { folder, json, lakebase } from './lakebase.mjs'

const app = deploy()
const cwd = folder()
const ME = '/api/2.0/preview/scim/v2/Me'
const CREDENTIALS = '/api/2.0/postgres/credentials'

/** Runs it with changes of the environment; undefined unsets a variable. */
const doctor = (changes = {}, env = app.emulator.env) => lakebase(['doctor', '--json'], { cwd, env: { ...env, ...changes } })

const endings = []
afterEach(async () => {
  for (const end of endings.splice(0)) await end()
})

const api = (fault) => app.emulator.faults.api(fault)
const login = (fault) => app.emulator.faults.database(fault)
const loginError = (code, message) => login({ kind: 'error', error: { code, message } })
/** What the workspace says of the endpoint. */
const endpointIs = (status) =>
  api({
    kind: 'malformed',
    path: `/api/2.0/postgres/${app.emulator.endpoint}`,
    body: JSON.stringify({ name: app.emulator.endpoint, status: { endpoint_type: 'ENDPOINT_TYPE_READ_WRITE', current_state: 'ACTIVE', hosts: { host: 'localhost' }, ...status } }),
  })

async function ordinaryRole(sql = '') {
  const { PGUSER } = app.emulator.env
  await app.emulator.query(`alter role "${PGUSER}" nosuperuser; ${sql}`)
  endings.push(() => app.emulator.query(`alter role "${PGUSER}" superuser; drop table if exists closed; grant create on schema public to public`))
}

/** A server that answers every connection with these bytes. */
async function answering(bytes) {
  const server = createServer((socket) => socket.on('error', () => {}).once('data', () => socket.end(bytes)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  endings.push(() => server.close())
  return { PGPORT: String(server.address().port) }
}

/** A port whose queue of connections is full: the system answers no further one. */
async function silent() {
  const program = `
    const server = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
      process.stdout.write(server.address().port + '\\n', () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0))
    })`
  const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const port = Number(String((await once(child.stdout, 'data'))[0]))
  const sockets = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => {}))
  await Promise.all(sockets.slice(0, 2).map((socket) => once(socket, 'connect')))
  endings.push(() => {
    for (const socket of sockets) socket.destroy()
    child.kill('SIGKILL')
  })
  return { PGPORT: String(port) }
}

/** A PostgreSQL with TLS and a certificate for these names. */
async function serverFor(options) {
  const server = await postgres(options)
  endings.push(() => server.stop())
  return server
}

const YEAR_4096 = Date.UTC(4096, 0, 1)
/** JavaScript's clock is so many days before the end of the emulator's certificate; behind it, with a negative number. */
function clockBefore(days) {
  const file = join(cwd, 'clock.cjs')
  writeFileSync(file, `const now = Date.now; const ahead = ${YEAR_4096 - days * 86_400_000} - now(); Date.now = () => now() + ahead`)
  return { NODE_OPTIONS: `--require ${file}` }
}

/** What goes wrong, and in which step it shows: changes of the environment, or a function that provokes it and may return such. */
const cases = {
  CONFIGURATION: ['variables', { DATABRICKS_HOST: undefined }],
  POOLED_HOST: ['variables', { PGHOST: 'ep-quiet-tree-pooler.database.us-east-1.cloud.databricks.com' }],
  DNS: ['database name', { PGHOST: 'no-such-endpoint.invalid' }],
  TCP_REFUSED: ['database connection', () => app.emulator.refuseConnections('database')],
  TCP_TIMEOUT: ['database connection', silent],
  TLS_UNTRUSTED: ['workspace certificate', { NODE_EXTRA_CA_CERTS: undefined }],
  TLS_EXPIRED: ['workspace certificate', () => clockBefore(-10)],
  TLS_EXPIRES_SOON: ['workspace certificate', () => clockBefore(10)],
  TLS_NAME: [
    'database certificate',
    async () => {
      const { ca, certificate, key } = certificateFor(['elsewhere.example'])
      const server = await serverFor({ host: '127.0.0.1', ssl: { certificate, key } })
      const file = join(cwd, 'ca.pem')
      writeFileSync(file, ca)
      return { PGPORT: String(server.port), PGSSLROOTCERT: file }
    },
  ],
  TLS_NOT_OFFERED: ['database certificate', () => answering('N')],
  TLS_FAILED: ['database certificate', () => answering('Sno handshake at all')],
  IDENTITY_REFUSED: ['workspace API', { DATABRICKS_CLIENT_SECRET: 'dose-wrong-wrong-wrong' }],
  IP_ACCESS_LIST: [
    'workspace API',
    () => api({ kind: 'status', status: 403, path: ME, message: 'Source IP address: 203.0.113.7 is blocked by Databricks IP ACL for workspace: 6051921418418893' }),
  ],
  NO_PERMISSION: ['token', () => api({ kind: 'status', status: 403, path: CREDENTIALS })],
  RATE_LIMITED: ['workspace API', () => api({ kind: 'status', status: 429, retryAfterSeconds: 60, path: ME })],
  WORKSPACE_UNAVAILABLE: ['workspace API', () => api({ kind: 'status', status: 503, path: ME })],
  NOT_A_WORKSPACE: ['workspace API', () => api({ kind: 'malformed', path: ME, body: '<html>Sign in</html>' })],
  CLOCK: ['workspace API', () => app.emulator.advanceClock(600_000), () => app.emulator.advanceClock(-600_000)],
  ENDPOINT_NOT_FOUND: ['endpoint', { LAKEBASE_ENDPOINT: 'projects/emulator/branches/production/endpoints/gone' }],
  ENDPOINT_DISABLED: ['endpoint', () => endpointIs({ disabled: true })],
  ENDPOINT_SUSPENDED: ['endpoint', () => endpointIs({ current_state: 'IDLE' })],
  INSTANCE_STOPPED: [
    'endpoint',
    () => {
      api({ kind: 'malformed', path: '/api/2.0/database/instances/emulator', body: '{"name":"emulator","state":"STOPPED","effective_stopped":true,"read_write_dns":"localhost"}' })
      return { LAKEBASE_ENDPOINT: undefined, LAKEBASE_INSTANCE_NAME: 'emulator' }
    },
  ],
  WRONG_HOST: ['endpoint', { PGHOST: '127.0.0.1' }],
  TOKEN_SHORT: [
    'token',
    async () => {
      const other = await startEmulator({ tokenLifetimeMillis: 60_000 })
      endings.push(() => other.stop())
      return other.env
    },
  ],
  ROLE_MISMATCH: ['login', { PGUSER: 'developer@example.com' }],
  LOGIN_REFUSED: ['login', () => loginError('28P01', 'password authentication failed for user "x"')],
  NO_DATABASE: ['login', { PGDATABASE: 'nowhere' }],
  COMPUTE_UNREACHABLE: ['login', () => login({ kind: 'error', error: 'compute-unreachable' })],
  TOO_MANY_CONNECTIONS: ['login', () => login({ kind: 'error', error: 'too-many-connections' })],
  STARTING_UP: ['login', () => login({ kind: 'error', error: 'starting-up' })],
  CONNECTION_LOST: ['login', () => login({ kind: 'reset', at: 'startup' })],
  LOGIN_TIMEOUT: ['login', () => login({ kind: 'hang', at: 'startup' })],
  NO_SCHEMA: ['privileges', { PGOPTIONS: '-c search_path=nowhere' }],
  NO_SCHEMA_CREATE: ['privileges', () => ordinaryRole('revoke create on schema public from public')],
  NO_TABLE_PRIVILEGES: ['privileges', () => ordinaryRole('create table closed ()')],
  UNKNOWN: ['login', () => loginError('XX001', 'invalid page in block 0')],
}

const WARNINGS = ['TLS_EXPIRES_SOON', 'ENDPOINT_SUSPENDED', 'WRONG_HOST', 'TOKEN_SHORT', 'NO_SCHEMA_CREATE', 'NO_TABLE_PRIVILEGES']
const recognized = []
after(() => {
  const widths = [0, 1].map((column) => Math.max(...recognized.map((row) => row[column].length)))
  for (const row of recognized) console.log(row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
})

test('a connection that works passes every step, with timings, and without a secret', async () => {
  const result = await doctor()
  const { ok, steps, versions } = json(result)
  assert.equal(ok, true, result.stdout)
  assert.equal(result.code, 0)
  assert.deepEqual(
    steps.map(({ name, status }) => `${name}: ${status}`),
    [
      'variables',
      'identity',
      'workspace name',
      'workspace connection',
      'workspace certificate',
      'workspace API',
      'endpoint',
      'token',
      'database name',
      'database connection',
      'database certificate',
      'login',
      'role',
      'privileges',
    ].map((name) => `${name}: ok`),
  )
  for (const { millis } of steps) assert.ok(Number.isInteger(millis) && millis >= 0)
  assert.equal(versions.postgres, app.emulator.postgresVersion)
  assert.equal(steps[1].detail, 'oauth-m2m: clientId (DATABRICKS_CLIENT_ID), clientSecret (DATABRICKS_CLIENT_SECRET)')
  assertHidden(secretsOf(app.emulator), result.stdout + result.stderr)
})

test('on a terminal or in a log it is a list of steps', async () => {
  const { code, stdout } = await lakebase(['doctor'], { cwd, env: { ...app.emulator.env, PGDATABASE: 'nowhere' } })
  assert.equal(code, 1)
  assert.match(stdout, /^✓ variables +\d+ ms {2}projects\/emulator/m)
  assert.match(stdout, /^✗ login +\d+ ms {2}database "nowhere" does not exist\n +cause {2}there is no database nowhere on this branch\n +fix {4}npx lakebase init/m)
  assert.match(stdout, /^- role +needs: login$/m)
  assert.match(stdout, /\n1 failed {2}lakebase-native \d/)
})

test('with a PostgreSQL password nothing of the workspace is checked', async () => {
  const { PGHOST, PGPORT, PGDATABASE, PGUSER, NODE_EXTRA_CA_CERTS } = app.emulator.env
  const password = (await lakebase(['token'], { cwd, env: app.emulator.env })).stdout.trim()
  const { ok, steps } = json(await doctor({ PGHOST, PGPORT, PGDATABASE, PGUSER, NODE_EXTRA_CA_CERTS, PGPASSWORD: password }, {}))
  assert.equal(ok, true)
  assert.deepEqual(steps.map(({ name }) => name), ['variables', 'database name', 'database connection', 'database certificate', 'login', 'role', 'privileges'])
})

for (const [code, [step, provoke, undo]] of Object.entries(cases)) {
  test(`${code} is recognized`, async () => {
    const changes = typeof provoke === 'function' ? await provoke() : provoke
    if (undo) endings.push(undo)
    const result = await doctor(typeof changes === 'object' ? changes : {})
    const { ok, steps } = json(result)
    const found = steps.find((one) => one.code === code)
    assert.ok(found, `not recognized:\n${steps.filter(({ status }) => status !== 'ok').map((one) => JSON.stringify(one)).join('\n')}`)
    assert.equal(found.name, step)
    assert.equal(found.status, WARNINGS.includes(code) ? 'warning' : 'failure')
    if (found.status === 'failure') assert.deepEqual([ok, result.code], [false, 1])
    assert.ok(found.cause && found.fix)
    assertHidden(['dose-wrong-wrong-wrong', ...secretsOf(app.emulator)], result.stdout + result.stderr)
    recognized.push([code, found.name, `${found.detail.split('\n')[0].slice(0, 90)} => ${found.fix.slice(0, 90)}`])
  })
}

test('there is a case for every failure that it names', () => {
  assert.deepEqual(Object.keys(cases).sort(), [...codes].sort())
})
