/** What a caller may set. Read and checked in Rust (src/config), in one place; here are its types and its way there. */

import { numberOf } from './auth/functions.js'
import type { AuthProvider, OidcToken } from './auth/questions.js'
import type { Client } from './client.js'
import type { Password } from './password.js'
import type { PoolClient } from './pool/pooled-connection.js'
import type { TypeSource } from './types.js'
import type { UserPoolLimits } from './users/user-pools.js'
import type { DatabricksOptions } from './workspace-client.js'

/** How the database connection is encrypted and whom it trusts, as in node-postgres. Other members are refused. */
export interface SslOptions {
  /** `false`: encrypt without verifying the certificate. Default `true`. */
  rejectUnauthorized?: boolean
  /** PEM certificates that replace the default roots. */
  ca?: string | Buffer | (string | Buffer)[]
  /** PEM client certificate. */
  cert?: string | Buffer
  /** PEM key of the client certificate, not encrypted. */
  key?: string | Buffer
  /** Name to send (SNI) and to verify instead of the host. */
  servername?: string
  minVersion?: 'TLSv1.2' | 'TLSv1.3'
  maxVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** `require`, `verify-full`: certificate and name verified. `verify-ca`: name not checked. `prefer`, `no-verify`: encrypted, not verified. `disable`: not encrypted. */
export type SslMode = 'require' | 'verify-full' | 'verify-ca' | 'prefer' | 'no-verify' | 'disable'

/** Options of a connection, with node-postgres' names and units. */
export interface ConnectionOptions {
  /** A `postgres://` URL or libpq's `key=value` pairs. Wins over every other option; no tokens then. Secret: it may hold a password. */
  connectionString?: string
  /** Host name, address, or a Unix socket's directory. `PGHOST`, `LAKEBASE_HOSTNAME`. */
  host?: string
  /** Default 5432. `PGPORT`. */
  port?: number | string
  /** `PGDATABASE`, `LAKEBASE_DATABASE`. */
  database?: string
  /** The PostgreSQL role. `PGUSER`, then `DATABRICKS_CLIENT_ID`. */
  user?: string
  /** A native PostgreSQL login instead of a token: a string, or a function called for each new connection. */
  password?: Password
  ssl?: boolean | SslMode | SslOptions
  /** `direct` starts TLS without asking first (PostgreSQL 17): one round trip less. Default `postgres`. */
  sslnegotiation?: 'postgres' | 'direct'
  /** SCRAM-SHA-256-PLUS where the server offers it. Default `true`; `false` in `lakebase-native/pg`. */
  enableChannelBinding?: boolean
  /** `PGAPPNAME`. */
  application_name?: string
  fallback_application_name?: string
  /** Startup options, for example `-c search_path=app`. `PGOPTIONS`. */
  options?: string
  /** Milliseconds after which the server gives a statement up. */
  statement_timeout?: number | string | false
  /** Milliseconds a statement may wait for a lock. */
  lock_timeout?: number | string | false
  /** Milliseconds a transaction may lie idle before the server ends the session. */
  idle_in_transaction_session_timeout?: number | string | false
  /** Milliseconds after which a query is given up on this side. */
  query_timeout?: number | string | false
  client_encoding?: string
  /** TCP keep-alive. Default `true`; `false` in `lakebase-native/pg`. */
  keepAlive?: boolean
  /** Silence before the first probe, in milliseconds. */
  keepAliveInitialDelayMillis?: number
  /** Bounds waiting for a connection and making one, in milliseconds. Default 10,000; 0: no bound. */
  connectionTimeoutMillis?: number
  /** Prepared statements kept per connection. Default 256; 0: none. */
  statementCacheSize?: number
  types?: TypeSource
}

/** Options of what a pool does with its connections, with pg-pool's names and units. */
export interface PoolingOptions {
  /** Connections at most. Default 10; fewer on hosts that run functions (docs/hosts.md), as the next two. */
  max?: number
  /** Connections kept when idle. Default 0. */
  min?: number
  /** Milliseconds after which an idle connection is closed. Default 30,000; 0: never. */
  idleTimeoutMillis?: number
  /** Uses after which a connection is replaced. Default: unlimited. */
  maxUses?: number
  /** Age in seconds at which a connection is replaced (90 to 100 % of it, at random). Default 0: unlimited. */
  maxLifetimeSeconds?: number
  /** Let the process exit while connections lie idle. Default `false`. */
  allowExitOnIdle?: boolean
  /** Plain reads in flight per connection when all are busy. Default 64; 1: no pipelining. */
  maxPipeline?: number
  /**
   * Writes, locking reads and calls of any function share connections, too. Default `false`: faster, but what is behind one that waits for a lock
   * waits with it, and a program that holds the lock while it awaits what is behind waits for itself, for ever. Has an
   * effect only on connections that are proven to lead to one PostgreSQL process: not behind a pooler, nor behind a proxy that makes up process ids.
   */
  pipelineWrites?: boolean
  /** Told what the pool does, in words. */
  log?: (...message: unknown[]) => void
}

/** Options that a pool acts on in JavaScript; the rest is read in Rust. */
export interface PoolHooks {
  /** Prepares a new connection before it is used for anything else. */
  onConnect?: ((client: PoolClient) => unknown) | undefined
  /** Accepts a new connection, or refuses it with an error, before its first caller gets it. */
  verify?: ((client: PoolClient, done: (error?: Error) => void) => void) | undefined
  /** A class derived from this package's `Client`. */
  Client?: typeof Client | undefined
  /** The class of the promises that methods return. */
  Promise?: PromiseConstructor | undefined
}

/** A Unity Catalog claim of a database credential. */
export interface Claim {
  permission_set: string
  resources: { table_name: string }[]
}

/** Who asks the workspace for tokens: one of the ways that docs/authentication.md lists. Nothing of it is needed where the environment, a profile or a platform provides. */
export interface AuthenticationOptions {
  /** The one way to use, by name, instead of the first that applies. `DATABRICKS_AUTH_TYPE`. */
  authType?: AuthType
  /** A function that gives workspace tokens, for every identity that has no option here. */
  authProvider?: AuthProvider
  /** A profile of `.databrickscfg`. `DATABRICKS_CONFIG_PROFILE`. */
  profile?: string
  /** Where that file is. Default `~/.databrickscfg`. `DATABRICKS_CONFIG_FILE`. */
  configFile?: string
  /** A personal access token or another fixed bearer token. `DATABRICKS_TOKEN`. */
  token?: string
  /** A service principal's application id. `DATABRICKS_CLIENT_ID`. */
  clientId?: string
  /** Its OAuth secret. `DATABRICKS_CLIENT_SECRET`. */
  clientSecret?: string
  /** The Azure Key Vault that holds the OAuth secret, as `databricks-client-secret`. `KEY_VAULT_NAME`. */
  keyVaultName?: string
  /** The Databricks account, for account hosts. `DATABRICKS_ACCOUNT_ID`. */
  accountId?: string
  /** Token federation: a function that gives the identity provider's JSON Web Token, such as the request's `x-vercel-oidc-token`. */
  oidcToken?: OidcToken
  /** Token federation: leave `clientId` out of the exchange, because the token is a user's and the account's policy takes it. */
  accountWideFederation?: boolean
  /** Token federation: the variable that holds it. Default `DATABRICKS_OIDC_TOKEN`. `DATABRICKS_OIDC_TOKEN_ENV`. */
  oidcTokenEnv?: string
  /** Token federation: the file that holds it. `DATABRICKS_OIDC_TOKEN_FILEPATH`. */
  oidcTokenFile?: string
  /** What the identity provider's token is asked for. Default: what the workspace says, mostly its token endpoint. `DATABRICKS_TOKEN_AUDIENCE`. */
  tokenAudience?: string
  /** Another OAuth discovery document than the workspace's own. `DATABRICKS_DISCOVERY_URL`. */
  discoveryUrl?: string
  /** The Databricks CLI. Default: `databricks` in `PATH`. `DATABRICKS_CLI_PATH`. */
  databricksCliPath?: string
  /** A service on this machine that gives tokens. `DATABRICKS_METADATA_SERVICE_URL`. */
  metadataServiceUrl?: string
  /** Azure: an application of Entra. `ARM_CLIENT_ID`. */
  azureClientId?: string
  /** Its secret. `ARM_CLIENT_SECRET`. */
  azureClientSecret?: string
  /** Its directory. Default: the workspace's. `ARM_TENANT_ID`. */
  azureTenantId?: string
  /** Use the managed identity of the machine or app. `ARM_USE_MSI`. */
  azureUseMsi?: boolean
  /**
   * The workspace's resource id, for an identity that may manage the workspace and is no user of it. Without `databricksHost`, Azure tells the
   * workspace's URL by it. `DATABRICKS_AZURE_RESOURCE_ID`.
   */
  azureResourceId?: string
  /** The cloud of a workspace that only `azureResourceId` names. Default `public`. `ARM_ENVIRONMENT`. */
  azureEnvironment?: 'public' | 'usgovernment' | 'china'
  /** Google Cloud: the key of a service account, as the path or the content of its JSON file. `GOOGLE_CREDENTIALS`. */
  googleCredentials?: string
  /** Google Cloud: the service account that whoever is logged in here acts as. `DATABRICKS_GOOGLE_SERVICE_ACCOUNT`. */
  googleServiceAccount?: string
}

/** Names of the ways to authenticate. */
export type AuthType =
  | 'auth-provider'
  | 'pat'
  | 'oauth-m2m'
  | 'azure-key-vault'
  | 'databricks-cli'
  | 'metadata-service'
  | 'oidc-callback'
  | 'env-oidc'
  | 'file-oidc'
  | 'github-oidc'
  | 'azure-devops-oidc'
  | 'vercel-oidc'
  | 'github-oidc-azure'
  | 'azure-workload-identity'
  | 'azure-msi'
  | 'azure-client-secret'
  | 'azure-cli'
  | 'google-credentials'
  | 'google-id'

/** Where tokens come from. */
export interface TokenOptions extends AuthenticationOptions {
  /** The workspace's URL. `DATABRICKS_HOST`, `DATABRICKS_WORKSPACE_URL`. */
  databricksHost?: string
  /** Autoscaling: `projects/…/branches/…/endpoints/…`. `LAKEBASE_ENDPOINT`. */
  endpoint?: string
  /** Provisioned: the instance's name. `LAKEBASE_INSTANCE_NAME`. */
  instanceName?: string
  /** Unity Catalog claims of the credential. */
  claims?: Claim[]
  /** How long before a token's expiry it may be refreshed in the background, in milliseconds. Default 120,000. */
  tokenRefreshBufferMillis?: number
}

/** The pools of users. */
export interface UserOptions extends UserPoolLimits {
  /** In development (`NODE_ENV`) `asUser()` gives the pool itself for a request without a user, with a warning. Default `false`. */
  developmentFallback?: boolean
}

/** Options of `createLakebasePool()`. Each can come from the environment instead: docs/options.md has the table. */
export interface LakebasePoolOptions extends ConnectionOptions, PoolingOptions, PoolHooks, TokenOptions, DatabricksOptions {
  /** Default `require`. `PGSSLMODE`. */
  sslMode?: SslMode
  /** The schema that sessions begin in: their `search_path`. `PGSCHEMA`, `LAKEBASE_SCHEMA`. */
  schema?: string
  /** Without `schema`: a schema for each developer, `<application_name>_<user>`, where the user's name ends at the `@`. */
  perDeveloperSchema?: boolean
  /** Make the schema if it is not there, on the first connection. */
  createSchema?: boolean
  /** Without `host`: look up the host of the read-only replicas. `LAKEBASE_READ_ONLY`. */
  readOnly?: boolean
  /** Bounds of the pools of users (`forUser()`, `asUser()`). */
  users?: UserOptions
  /** A proxy of Databricks is in front of this app, which alone sets `x-forwarded-access-token`: `asUser()` may believe it. Default `false`. */
  trustForwardedHeaders?: boolean
}

/** More than any configuration has: what goes on for ever (a proxy that invents members) ends here. */
const MAX_DEPTH = 32
const MAX_VALUES = 100_000

/** Options as JSON, whole: Rust knows which it reads. What JSON has no form for crosses as a marker, so that Rust can name it in an error. */
export function encodeOptions(options: unknown): string {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return 'null'
  try {
    const above: unknown[] = [options]
    const left = { values: MAX_VALUES }
    // A pool's own options hide their secrets from enumeration; another pool and getToken() can be given them all the same.
    return JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(options).map((name) => [name, readable(options, name, above, left)])))
  } catch {
    // A proxy that does not tell its members.
    return 'null'
  }
}

/** A member as a value that JSON has a form for, whatever it is: reading it must not throw. */
function readable(holder: object, name: string, above: unknown[], left: { values: number }): unknown {
  try {
    return plain((holder as Record<string, unknown>)[name], name, above, left)
  } catch {
    return { $unreadable: 'throws' }
  }
}

function plain(value: unknown, name: string, above: unknown[], left: { values: number }): unknown {
  switch (typeof value) {
    case 'function':
      return { $function: true, number: numberOf(value as () => unknown) }
    case 'symbol':
      return { $unreadable: 'symbol' }
    case 'bigint':
      return value.toString()
    case 'number':
      if (Number.isFinite(value)) return value
      // "Unlimited", written as pg-pool's own default is.
      return name === 'maxUses' && value === Infinity ? undefined : { $number: String(value) }
    case 'object':
      break
    default:
      return value
  }
  if (value === null) return null
  if (above.includes(value)) return { $unreadable: 'circular' }
  if (above.length > MAX_DEPTH || left.values-- <= 0) return { $unreadable: 'endless' }
  const below = [...above, value]
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function' && !Buffer.isBuffer(value)) return plain(toJSON.call(value, name), name, below, left)
  if (value instanceof String || value instanceof Number || value instanceof Boolean) return plain(value.valueOf(), name, below, left)
  const text = binary(value)
  if (text !== undefined) return text
  if (Array.isArray(value)) return Array.from(value, (_, index) => readable(value, String(index), below, left))
  return Object.fromEntries(Object.keys(value).map((member) => [member, readable(value, member, below, left)]))
}

/** PEM texts may come as buffers, or in the form that JSON gives those. */
function binary(value: object): string | undefined {
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  const { type, data } = value as { type?: unknown; data?: unknown }
  return type === 'Buffer' && Array.isArray(data) ? Buffer.from(data as number[]).toString('utf8') : undefined
}

/** The environment as JSON: Rust picks the variables it knows. */
export function environmentVariables(): string {
  return JSON.stringify(process.env)
}
