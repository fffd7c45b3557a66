/** What a caller may set: types only. The values are read and checked in Rust (src/config). */

import type { AuthProvider, OidcToken } from '../auth/questions.js'
import type { TypeSource } from '../types.js'
import type { Password } from './password.js'

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
