/** The options of `createLakebasePool()`. Read and checked in Rust (src/config), with those of `PoolHooks` as the exception. */

import type { ConnectionOptions, PoolingOptions, SslMode, TokenOptions } from './config/options.js'
import type { PoolHooks } from './pool/options.js'
import type { UserPoolLimits } from './users/user-pools.js'
import type { DatabricksOptions } from './workspace-client.js'

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
