/** What `@databricks/lakebase` 0.6 exports besides `createLakebasePool()`, under its names: changing the import is the whole migration. */

import { getCredential, getToken } from './credential.js'
import { environment, expect } from './environment.js'
import { ConfigurationError, restack, toError, type WireError } from './errors.js'
import { encodeOptions, environmentVariables } from './config/encode.js'
import type { LakebasePoolOptions } from './lakebase-options.js'
import type { PoolConfig } from './interfaces/pool.js'
import type { Settings } from './pool/options.js'
import { toLogger, withoutDatabricksOptions, type Logger, type WorkspaceClient, type WorkspaceRequest } from './workspace-client.js'

/** Options of `createLakebasePool()`. */
export interface LakebasePoolConfig extends LakebasePoolOptions {}

/** A database credential as the workspace's API has it. */
export interface DatabaseCredential {
  /** The password. Secret. */
  token: string
  /** When it ends (ISO 8601). */
  expire_time: string
}

/** What a credential may be used for. */
export enum RequestedClaimsPermissionSet {
  READ_ONLY = 'READ_ONLY',
}

/** A Unity Catalog object. */
export interface RequestedResource {
  /** `catalog.schema.table` */
  table_name?: string
  unspecified_resource_name?: string
}

/** Restricts a credential to Unity Catalog objects. */
export interface RequestedClaims {
  permission_set?: RequestedClaimsPermissionSet
  resources?: RequestedResource[]
}

/** What a credential is asked for. */
export interface GenerateDatabaseCredentialRequest {
  /** `projects/…/branches/…/endpoints/…` */
  endpoint: string
  claims?: RequestedClaims[]
}

/** Instruments of OpenTelemetry. Accepted, and without effect yet. */
export interface DriverTelemetry {
  tracer: object
  meter: object
  tokenRefreshDuration: object
  queryDuration: object
  poolErrors: object
}

/** What `createTokenRefreshCallback()` needs. */
export interface TokenRefreshDeps {
  userConfig: Partial<LakebasePoolConfig>
  endpoint: string
  telemetry?: DriverTelemetry
  logger?: Logger
}

const CREDENTIALS = '/api/2.0/postgres/credentials'

/** Has the form of one. The user's name is asked for without an endpoint, too. */
const ANY_ENDPOINT = 'projects/any/branches/any/endpoints/any'

/** Options of a `pg.Pool`, of node-postgres or of `lakebase-native/pg`. */
export interface LakebasePgConfig extends Omit<PoolConfig, 'verify' | 'onConnect'> {}

/**
 * Options for a `pg.Pool`, of node-postgres or of `lakebase-native/pg`. The password is a function that gives this package's cached token.
 *
 * Host, database and user must be given, as options or by `PGHOST`, `PGDATABASE` and `PGUSER` or `DATABRICKS_CLIENT_ID`: only
 * `createLakebasePool()` looks them up. Throws a `ConfigurationError`. `telemetry` has no effect.
 */
export function getLakebasePgConfig(config: Partial<LakebasePoolConfig> = {}, _telemetry?: DriverTelemetry, logger?: Logger): LakebasePgConfig {
  const options = withoutDatabricksOptions(config)
  const settings = JSON.parse(environment.settings(encodeOptions(options), environmentVariables())) as Settings | WireError
  if ('kind' in settings) throw toError(settings)
  const { host, port, user, database, max, idleTimeoutMillis, connectionTimeoutMillis, allowExitOnIdle } = settings
  const { ssl, statement_timeout, lock_timeout, idle_in_transaction_session_timeout } = options as PoolConfig
  const { connectionString } = options
  requireGiven({ host, user, database })
  return {
    host,
    port,
    user,
    database,
    password: passwordOf(config, logger),
    ssl: typeof ssl === 'object' ? ssl : settings.encrypted && { rejectUnauthorized: settings.verified },
    max,
    idleTimeoutMillis,
    connectionTimeoutMillis,
    allowExitOnIdle,
    statement_timeout,
    lock_timeout,
    idle_in_transaction_session_timeout,
    ...(connectionString && { connectionString }),
  }
}

function passwordOf(config: Partial<LakebasePoolConfig>, logger: Logger | undefined): PoolConfig['password'] {
  if (config.password !== undefined || config.connectionString) return config.password as PoolConfig['password']
  return callback(config, logger ?? (config.logger && toLogger(config.logger)))
}

function requireGiven(needed: Record<string, string>): void {
  const variables: Record<string, string> = { host: 'PGHOST', user: 'PGUSER', database: 'PGDATABASE' }
  const missing = Object.keys(needed).filter((name) => needed[name] === '')
  if (missing.length === 0) return
  const problems = missing.map((option) => ({ option, variable: variables[option]!, found: null, expected: 'a value: only createLakebasePool() looks it up' }))
  const text = problems.map(({ option, variable, expected }) => `${option} (${variable}): not given: expected ${expected}`)
  throw Object.assign(new ConfigurationError(text.join('; ')), { code: 'CONFIGURATION_ERROR', problems })
}

/** What `getLakebaseOrmConfig()` gives: node-postgres' options, with the user as `username`. */
export interface OrmConfig extends Omit<LakebasePgConfig, 'user' | 'ssl' | 'password'> {
  username: string | undefined
  password: string | (() => string) | (() => Promise<string>) | undefined
  ssl: boolean | { rejectUnauthorized: boolean | undefined }
}

/** The same for ORMs that make their connections themselves: TypeORM, Sequelize, Knex. */
export function getLakebaseOrmConfig(config?: Partial<LakebasePoolConfig>): OrmConfig {
  const { user, ...others } = getLakebasePgConfig(config)
  return { ...others, username: user } as OrmConfig
}

/** A password function: gives this package's cached token for the endpoint. `telemetry` has no effect. */
export function createTokenRefreshCallback({ userConfig, endpoint, logger }: TokenRefreshDeps): () => Promise<string> {
  return callback({ ...userConfig, endpoint }, logger)
}

function callback(options: Partial<LakebasePoolConfig>, logger: Logger | undefined): () => Promise<string> {
  return () =>
    getToken(options).catch((error: unknown) => {
      logger?.error('no database credential: %O', error)
      throw error
    })
}

/** The `workspaceClient` that is given, or one that authenticates as this package does. That one asks for database credentials and the user's name. */
export function getWorkspaceClient(config: Partial<LakebasePoolConfig>): WorkspaceClient {
  if (config.workspaceClient) return config.workspaceClient
  return {
    apiClient: { request: (request) => ask(config, request) },
    currentUser: { me: async () => ({ userName: await userName(config) }) },
  }
}

async function ask(config: Partial<LakebasePoolConfig>, { method, path, payload }: WorkspaceRequest): Promise<DatabaseCredential> {
  if (method !== 'POST' || path !== CREDENTIALS) {
    const hint = 'make a WorkspaceClient of @databricks/sdk-experimental for other calls'
    throw Object.assign(new ConfigurationError(`this workspace client asks for database credentials only, not for ${method} ${path} (${hint})`), { hint })
  }
  const { token, expiresAt } = await getCredential({ ...config, ...(payload as GenerateDatabaseCredentialRequest) }, { refresh: true })
  return { token, expire_time: expiresAt.toISOString() }
}

/** A new database credential, asked for by a workspace client. */
export async function generateDatabaseCredential(
  workspaceClient: WorkspaceClient,
  request: GenerateDatabaseCredentialRequest,
): Promise<DatabaseCredential> {
  const headers = new Headers({ Accept: 'application/json', 'Content-Type': 'application/json' })
  const answer = await workspaceClient.apiClient.request({ path: CREDENTIALS, method: 'POST', headers, raw: false, payload: request })
  const { token, expire_time } = (answer ?? {}) as Partial<DatabaseCredential>
  if (typeof token !== 'string' || typeof expire_time !== 'string') {
    throw new TypeError('the workspace client gave no database credential: token and expire_time are missing')
  }
  return { token, expire_time }
}

/** The PostgreSQL user: `user`, `PGUSER`, `DATABRICKS_CLIENT_ID`, else the name of the identity, asked of the workspace. `undefined` if none is found. */
export async function getUsernameWithApiLookup(config: Partial<LakebasePoolConfig> = {}): Promise<string | undefined> {
  const given = config.user || process.env.PGUSER || process.env.DATABRICKS_CLIENT_ID
  if (given) return given
  try {
    return (await getWorkspaceClient(config).currentUser.me()).userName
  } catch {
    return undefined
  }
}

function userName(config: Partial<LakebasePoolConfig>): Promise<string> {
  const { LAKEBASE_ENDPOINT, LAKEBASE_INSTANCE_NAME } = process.env
  const named = config.endpoint || config.instanceName || LAKEBASE_ENDPOINT || LAKEBASE_INSTANCE_NAME
  const options = withoutDatabricksOptions(named ? config : { ...config, endpoint: ANY_ENDPOINT })
  return new Promise<string>((resolve, reject) => {
    const request = expect({ event: (event) => event.event === 'user' && resolve(event.user), fail: reject })
    environment.userName(request, encodeOptions(options), environmentVariables())
  }).catch(restack)
}
