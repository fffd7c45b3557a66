// What most test files start from: an emulator, and this process's environment set as an app's deployment would set it.
import { after, afterEach, before, beforeEach } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLakebasePool } from 'lakebase-native'
import { startEmulator } from 'lakebase-native/emulator'

const OURS =
  /^(PG|LAKEBASE_|DATABRICKS_|ARM_|AZURE_|ACTIONS_ID_|SYSTEM_|IDENTITY_|KEY_VAULT_|VERCEL|GOOGLE_|CLOUDSDK_|NETLIFY$|AWS_LAMBDA_FUNCTION_NAME$|FUNCTIONS_WORKER_RUNTIME$|K_SERVICE$|CLOUD_RUN_JOB$|DATABASE_URL$|NODE_EXTRA_CA_CERTS$|SSL_CERT_)|_PROXY$/i

const END_MILLIS = 5_000

let tests = 0

/** Leaves this process with exactly these of the variables that we read; undefined ones are unset. */
export function setEnvironment(variables) {
  for (const name of Object.keys(process.env)) if (OURS.test(name)) delete process.env[name]
  for (const [name, value] of Object.entries(variables)) if (value !== undefined) process.env[name] = value
}

/**
 * One emulator for the file, whose database `sql` prepares. Every test begins with its environment, without faults, with counts at zero and without a cached token;
 * pools made with `pool()` are ended after it.
 */
export function deploy({ sql, ...options } = {}) {
  const pools = []
  const app = {
    /** @type {import('lakebase-native/emulator').Emulator} */
    emulator: undefined,

    /** The emulator's variables, with changes. */
    environment(changes = {}, choice) {
      // The token cache belongs to the process, and is one per network: another NO_PROXY, which means nothing here, makes a new one.
      setEnvironment({ ...app.emulator.envFor(choice), NO_PROXY: `test-${tests}.invalid`, ...changes })
    },

    /** Calls of every service since the test began, as the emulator saw them. */
    requests: [],

    pool(poolOptions) {
      const pool = createLakebasePool(poolOptions)
      pools.push(pool)
      return pool
    },

    /** Node-postgres' options for the emulator's database, for what has its own password. */
    address() {
      const { emulator } = app
      const { PGHOST: host, PGUSER: user } = emulator.env
      return { host, port: emulator.ports.database, user, database: emulator.database, ssl: { ca: emulator.ca } }
    },

    /** Calls of each API since the test began. */
    get calls() {
      const { api } = app.emulator.counts
      return {
        oauth: api['/oidc/v1/token'] ?? 0,
        postgres: api['/api/2.0/postgres/credentials'] ?? 0,
        database: api['/api/2.0/database/credentials'] ?? 0,
      }
    },
  }
  before(async () => {
    app.emulator = await startEmulator(options)
    app.emulator.events.on('call', (call) => app.requests.push(call))
    if (sql) await app.emulator.query(sql)
  })
  beforeEach(() => {
    tests++
    app.environment()
    app.emulator.resetCounts()
    app.requests.length = 0
  })
  afterEach(async () => {
    await app.emulator.recover()
    const ends = pools.splice(0).map((pool) => pool.ending || pool.end())
    // A pool cannot end while a test that failed has one of its clients.
    await Promise.race([Promise.all(ends), sleep(END_MILLIS, undefined, { ref: false })])
  })
  after(() => app.emulator.stop())
  return app
}
