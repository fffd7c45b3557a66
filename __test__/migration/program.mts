// A program of a user of @databricks/lakebase: everything that package exports. databricks-lakebase.test.mjs compiles and runs it with that package, and with
// lakebase-native in the import; what it prints is to be the same.
import { metrics, trace } from '@opentelemetry/api'
import { WorkspaceClient } from '@databricks/sdk-experimental'
import pg from 'pg'
import {
  createLakebasePool,
  createTokenRefreshCallback,
  generateDatabaseCredential,
  getLakebaseOrmConfig,
  getLakebasePgConfig,
  getUsernameWithApiLookup,
  getWorkspaceClient,
  RequestedClaimsPermissionSet,
  type DatabaseCredential,
  type DriverTelemetry,
  type GenerateDatabaseCredentialRequest,
  type LakebasePoolConfig,
  type Logger,
  type LoggerConfig,
  type RequestedClaims,
  type RequestedResource,
  type TokenRefreshDeps,
} from '@databricks/lakebase'

const seen: Record<string, unknown> = {}
const endpoint = process.env.LAKEBASE_ENDPOINT!

/** Without the variables, while `work` runs. */
async function without<T>(names: string[], work: () => T | Promise<T>): Promise<T> {
  const saved = names.map((name) => [name, process.env[name]] as const)
  for (const name of names) delete process.env[name]
  try {
    return await work()
  } finally {
    for (const [name, value] of saved) if (value !== undefined) process.env[name] = value
  }
}

// A pool, with the options that the package adds to node-postgres'.
const levels: LoggerConfig = { debug: false, error: true }
const config: Partial<LakebasePoolConfig> = { max: 3, idleTimeoutMillis: 5_000, connectionTimeoutMillis: 20_000, sslMode: 'require', telemetry: false, logger: levels }
const pool = createLakebasePool(config)
seen.select = (await pool.query<{ n: number }>('select $1::int + 1 as n', [41])).rows
seen.arrays = (await pool.query({ text: 'select 1 as a, now() is not null as b', rowMode: 'array' })).rows
const client = await pool.connect()
await client.query('begin')
await client.query('create temporary table item (id int primary key)')
seen.inserted = (await client.query('insert into item values (1), (2)')).rowCount
seen.duplicate = await client.query('insert into item values (1)').catch((error: pg.DatabaseError) => [error.code, error.constraint])
await client.query('rollback')
client.release()
seen.failure = await pool.query('select nope').catch((error: pg.DatabaseError) => [error instanceof Error, error.code])
seen.counts = [pool.waitingCount, pool.options.max]
await pool.end()
seen.ended = pool.ended

// Options for node-postgres and for ORMs.
const options: pg.PoolConfig = getLakebasePgConfig(config)
seen.options = [options.host, options.port, options.user, options.database, options.ssl, options.max, options.idleTimeoutMillis, options.connectionTimeoutMillis, typeof options.password]
const own = new pg.Pool(options)
seen.own = (await own.query('select current_user = $1 as me', [options.user])).rows
await own.end()
const { username, password, ssl, ...others } = getLakebaseOrmConfig({ max: 2 })
seen.orm = [username, typeof password, ssl, others.host, others.database, others.port, others.max, 'user' in others]
seen.plain = getLakebasePgConfig({ password: 'secret', host: 'db.example', database: 'shop', user: 'jane', sslMode: 'prefer' }).ssl
seen.disabled = getLakebasePgConfig({ password: 'secret', host: 'localhost', database: 'shop', user: 'jane', sslMode: 'disable' }).ssl

// Tokens by hand.
const lines: string[] = []
const logger: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: (message) => void lines.push(message) }
const meter = metrics.getMeter('program')
const telemetry: DriverTelemetry = {
  tracer: trace.getTracer('program'),
  meter,
  tokenRefreshDuration: meter.createHistogram('refresh'),
  queryDuration: meter.createHistogram('query'),
  poolErrors: meter.createCounter('errors'),
}
const deps: TokenRefreshDeps = { userConfig: {}, endpoint, telemetry, logger }
const refresh = createTokenRefreshCallback(deps)
const [first, second] = await Promise.all([refresh(), refresh()])
seen.refreshed = [first === second, (await refresh()) === first, first!.length > 20]

const workspace = getWorkspaceClient({})
const table: RequestedResource = { table_name: 'catalog.schema.users' }
const claims: RequestedClaims[] = [{ permission_set: RequestedClaimsPermissionSet.READ_ONLY, resources: [table] }]
const request: GenerateDatabaseCredentialRequest = { endpoint, claims }
const credential: DatabaseCredential = await generateDatabaseCredential(workspace, request)
seen.credential = [credential.token.length > 20, Date.parse(credential.expire_time) > Date.now()]
const single = new pg.Client({ ...options, password: (await generateDatabaseCredential(workspace, { endpoint })).token })
await single.connect()
seen.single = (await single.query('select 1 as one')).rows
await single.end()

// Who the user is.
seen.user = [await getUsernameWithApiLookup({ user: 'jane' }), (await getUsernameWithApiLookup()) === process.env.PGUSER]
const identity = ['PGUSER', 'DATABRICKS_CLIENT_ID', 'DATABRICKS_CLIENT_SECRET']
process.env.DATABRICKS_TOKEN = process.env.PERSONAL_ACCESS_TOKEN
seen.lookedUp = await without(identity, () => getUsernameWithApiLookup())
seen.lookedUpWithoutEndpoint = await without([...identity, 'LAKEBASE_ENDPOINT'], () => getUsernameWithApiLookup({}))
delete process.env.DATABRICKS_TOKEN
seen.nobody = await without([...identity, 'DATABRICKS_HOST'], () => getUsernameWithApiLookup())

// The SDK's client as the way to authenticate.
const sdk = new WorkspaceClient({ host: process.env.DATABRICKS_HOST!, token: process.env.PERSONAL_ACCESS_TOKEN!, authType: 'pat' })
const asked = await generateDatabaseCredential(sdk, { endpoint })
seen.sdk = [asked.token.length > 20, getWorkspaceClient({ workspaceClient: sdk }) === sdk]
const theirs = createLakebasePool({ workspaceClient: sdk, user: 'developer@example.com', max: 1 })
seen.sdkUser = (await theirs.query('select current_user as name')).rows
await theirs.end()

// Errors.
const nowhere = ['LAKEBASE_ENDPOINT', 'PGHOST', 'PGDATABASE', 'DATABRICKS_HOST']
for (const make of [createLakebasePool, getLakebasePgConfig, getLakebaseOrmConfig]) {
  seen[`${make.name} of nothing`] = await without(nowhere, () => {
    try {
      make()
      return 'made'
    } catch (error) {
      const { name, code } = error as Error & { code?: string }
      return [name, code]
    }
  })
}
console.log(JSON.stringify(seen))
