/** `lakebase-native/pg`: node-postgres' module on the Rust core. Exports what `pg` exports. */

import type { DatabaseError } from 'pg-protocol'
import { Client } from '../client.js'
import { defaults as settings } from '../defaults.js'
import { escapeIdentifier, escapeLiteral } from '../escape.js'
import { Pool } from '../pool/pool.js'
import { normalize, Query } from '../query.js'
import { Result } from '../result.js'
import { types, TypeOverrides } from '../types.js'
import { prepareValue } from '../values.js'
import { PlainConnection, type PlainConnectionConfig } from '../protocol/plain-connection.js'
import type { ClientConfig, Defaults } from '../interfaces/client.js'
import type { Connection as ConnectionLike } from '../interfaces/query.js'

export { Client, escapeIdentifier, escapeLiteral, Pool, Query, Result, TypeOverrides, types }
export { DatabaseError } from 'pg-protocol'
export type { PoolClient } from '../pool/pool.js'
export type { ClientConfig, ConnectionConfig, Defaults, Notification, TransactionStatus } from '../interfaces/client.js'
export type { ClientBase, Events, PoolConfig, PoolOptions } from '../interfaces/pool.js'
export type {
  BindConfig,
  CustomTypesConfig,
  ExecuteConfig,
  FieldDef,
  MessageConfig,
  QueryArrayConfig,
  QueryArrayResult,
  QueryConfig,
  QueryConfigValues,
  QueryParse,
  QueryResult,
  QueryResultBase,
  QueryResultRow,
  ResultBuilder,
  Submittable,
} from '../interfaces/query.js'
/** This module, as `native` would be one. */
interface Module {
  Client: typeof Client
  Connection: typeof Connection
  DatabaseError: typeof DatabaseError
  Pool: typeof Pool
  Query: typeof Query
  Result: typeof Result
  TypeOverrides: typeof TypeOverrides
  defaults: typeof defaults
  escapeIdentifier: typeof escapeIdentifier
  escapeLiteral: typeof escapeLiteral
  native: Module | null
  types: typeof types
  utils: typeof utils
}

/** What a `Submittable` speaks the protocol with; as a class, a socket that speaks it. */
export type Connection = ConnectionLike
export const Connection = PlainConnection as unknown as new (config?: PlainConnectionConfig) => ConnectionLike
/** Settings of the process: what a client or a pool is not told otherwise. */
export const defaults = settings as Defaults & ClientConfig
export const utils = { prepareValue, normalizeQueryConfig: normalize, escapeIdentifier, escapeLiteral }
/** There is no libpq binding here. Not enumerable in `pg`; see `scripts/build.mjs` for the entry's form. */
export const native: Module | null = null
Object.defineProperty(exports, 'native', { enumerable: false, value: null })
