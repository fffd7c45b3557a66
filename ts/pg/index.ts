/** `lakebase-native/pg`: node-postgres' module on the Rust core. Exports what `pg` exports. */

import type { DatabaseError } from 'pg-protocol'
import { Client } from '../client.js'
import { defaults as settings } from '../defaults.js'
import { escapeIdentifier, escapeLiteral } from '../escape.js'
import { Pool } from '../pool.js'
import { normalize, Query } from '../query.js'
import { Result } from '../result.js'
import { types, TypeOverrides } from '../types.js'
import { prepareValue } from '../values.js'
import { PlainConnection, type PlainConnectionConfig } from './plain-connection.js'
import type { ClientConfig, Connection as ConnectionLike, Defaults } from './types.js'

export { Client, escapeIdentifier, escapeLiteral, Pool, Query, Result, TypeOverrides, types }
export { DatabaseError } from 'pg-protocol'
export type { PoolClient } from '../pool.js'
export type {
  BindConfig,
  ClientBase,
  ClientConfig,
  ConnectionConfig,
  CustomTypesConfig,
  Defaults,
  Events,
  ExecuteConfig,
  FieldDef,
  MessageConfig,
  Notification,
  PoolConfig,
  PoolOptions,
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
  TransactionStatus,
} from './types.js'
/** This module, as `native` would be one. */
interface Module {
  Client: typeof Client
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
