/**
 * What differs between a pool of `lakebase-native/pg` and one of `createLakebasePool()`: the first table of docs/differences.md, as far as
 * TypeScript decides it. Everything else is the same code.
 */

import { type ClientPolicy, lakebaseClient, nodePostgresClient } from './client-policy.js'
import { ConnectionParameters } from './config/connection-parameters.js'
import { encodeOptions } from './config/encode.js'
import type { CheckServerIdentity } from './config/identity.js'
import { poolSettings } from './config/resolved.js'
import { TimeoutError, toError, type WireError } from './errors.js'
import type { PoolOptions } from './interfaces/pool.js'
import { toPgError } from './pg-errors.js'
import { lakebaseOptions, pgOptions, revealed, type GivenOptions, type Settings } from './pool/options.js'

/** What Rust reads, as JSON, and the caller's `ssl` with its functions. */
interface CoreOptions {
  options: string
  ssl: { checkServerIdentity?: CheckServerIdentity } | undefined
}

export interface Policy extends ClientPolicy {
  /** Options, environment variables and defaults are read as node-postgres reads them, in ts/config; otherwise as Lakebase's, in src/config. */
  readonly readsAsNodePostgres: boolean
  /** The options that count, of those given. */
  accept(given: GivenOptions): GivenOptions
  /** The options for Rust. */
  encode(given: GivenOptions): CoreOptions
  /** `pool.options`. */
  options(given: GivenOptions, settings: Settings): PoolOptions
  /** Options that no connection can be made with make the constructor throw, instead of the first attempt to connect. */
  readonly throwsConfigurationErrors: boolean

  /** Makes the errors of a pool. */
  toError(wire: WireError): Error
  /** The error of a caller whose `connectionTimeoutMillis` have passed in the queue. */
  queueTimeout(): Error

  /** A query's connection is closed after every error, not only when it is left in a transaction. */
  readonly closesAfterError: boolean
  /** A query that never ran, or a connection lost while it was prepared, is tried again on another connection. */
  readonly triesOtherConnections: boolean
  /** `acquire` and `release` are emitted when the query begins and ends, so it needs a client; otherwise both after it. */
  readonly emitsUseInTime: boolean
  /** The `query_timeout` in force. */
  queryTimeout(given: GivenOptions, settings: Settings): unknown
  /** Whether these options make it visible which client runs a query. */
  needsClients(options: PoolOptions): boolean

  /** `pool.end()` serves callers in the queue first; pg-pool never calls them back. */
  readonly servesQueueAtEnd: boolean
  /** `pool.end()` waits until every connection is closed; pg-pool until none counts. */
  readonly endsWhenClosed: boolean

  /** The queue is served at once when an idle connection was lost; by pg-pool with the next release. */
  readonly servesQueueAfterLoss: boolean
  /** A client released with an open cursor or copy goes to nobody before that ends; pg-pool's next caller waits for ever. */
  readonly withholdsOpenCursors: boolean
  /** By how much of it `maxLifetimeSeconds` varies, so that connections do not all end together. */
  readonly lifetimeJitter: number
}

const waitedTooLong = 'timeout exceeded when trying to connect'
const connectedTooLate = 'Connection terminated due to connection timeout'

/** Pools of `lakebase-native/pg`, and every client without a pool. */
export const nodePostgres: Policy = {
  ...nodePostgresClient,
  readsAsNodePostgres: true,
  accept: (given) => pgOptions(given) as GivenOptions,
  encode: (given) => {
    const parameters = new ConnectionParameters(given)
    return { options: poolSettings(parameters, given), ssl: parameters.ssl || undefined }
  },
  options: (given) => given as PoolOptions,
  throwsConfigurationErrors: false,
  toError: (wire) => {
    if (wire.kind === 'checkoutTimeout') return new Error(waitedTooLong)
    if (wire.code !== 'CONNECTION_TIMEOUT') return toPgError(wire)
    return new Error(connectedTooLate, { cause: new Error('Connection terminated unexpectedly') })
  },
  queueTimeout: () => new Error(waitedTooLong),
  closesAfterError: true,
  triesOtherConnections: false,
  emitsUseInTime: true,
  queryTimeout: (given) => given.query_timeout,
  needsClients: ({ log, maxUses }) => Boolean(log) || maxUses !== Infinity,
  servesQueueAtEnd: false,
  endsWhenClosed: false,
  servesQueueAfterLoss: false,
  withholdsOpenCursors: false,
  lifetimeJitter: 0,
}

/** Pools of `createLakebasePool()`. */
export const lakebase: Policy = {
  ...lakebaseClient,
  readsAsNodePostgres: false,
  accept: revealed,
  encode: (given) => ({ options: encodeOptions(given), ssl: undefined }),
  options: lakebaseOptions,
  throwsConfigurationErrors: true,
  toError,
  queueTimeout: () => {
    const hint = 'all connections were busy for connectionTimeoutMillis: raise max, or look for clients that are not released'
    return Object.assign(new TimeoutError(`${waitedTooLong} (${hint})`), { code: 'CONNECTION_TIMEOUT', hint })
  },
  closesAfterError: false,
  triesOtherConnections: true,
  emitsUseInTime: false,
  queryTimeout: (_given, settings) => settings.query_timeout,
  needsClients: () => false,
  servesQueueAtEnd: true,
  endsWhenClosed: true,
  servesQueueAfterLoss: true,
  withholdsOpenCursors: true,
  lifetimeJitter: 0.1,
}

/** Whether pg-pool's error says that connecting took too long. */
export function isConnectTimeout(error: Error): boolean {
  return error.message === connectedTooLate
}
