/**
 * What differs between a pool of `lakebase-native/pg` and one of `createLakebasePool()`: the first table of docs/differences.md, as far as
 * TypeScript decides it. Everything else is the same code.
 */

import { TimeoutError, toError, type WireError } from './errors.js'
import { encodeOptions, environmentVariables } from './options.js'
import { ConnectionParameters } from './pg/connection-parameters.js'
import { toPgError } from './pg/errors.js'
import type { CheckServerIdentity } from './pg/identity.js'
import { corePoolOptions, coreVariables } from './pg/startup.js'
import type { PoolOptions } from './pg/types.js'
import { lakebaseOptions, pgOptions, revealed, type GivenOptions, type Settings } from './pool/options.js'

/** What Rust reads: JSON objects, and the caller's `ssl` with its functions. */
interface CoreOptions {
  options: string
  variables: string
  ssl: { checkServerIdentity?: CheckServerIdentity } | undefined
}

export interface Policy {
  /** Rust reads options, environment variables and defaults as node-postgres does, not as Lakebase's. */
  readonly readsAsNodePostgres: boolean
  /** The options that count, of those given. */
  accept(given: GivenOptions): GivenOptions
  /** The options and environment variables for Rust. */
  encode(given: GivenOptions): CoreOptions
  /** `pool.options`. */
  options(given: GivenOptions, settings: Settings): PoolOptions
  /** Options that no connection can be made with make the constructor throw, instead of the first attempt to connect. */
  readonly throwsConfigurationErrors: boolean

  /** Makes the errors of a pool. */
  toError(wire: WireError): Error
  /** Makes the errors of a client. */
  toClientError(wire: WireError): Error
  /** The error of a caller whose `connectionTimeoutMillis` have passed in the queue. */
  queueTimeout(): Error

  /** A query's connection is closed after every error, not only when it is left in a transaction. */
  readonly closesAfterError: boolean
  /** A query that has timed out (`query_timeout`) is cancelled on the server, and its connection used on; otherwise the connection is closed. */
  readonly cancelsTimedOut: boolean
  /** A query that never ran, or a connection lost while it was prepared, is tried again on another connection. */
  readonly triesOtherConnections: boolean
  /** `acquire` and `release` are emitted when the query begins and ends, so it needs a client; otherwise both after it. */
  readonly emitsUseInTime: boolean
  /** Whether these options make it visible which client runs a query. */
  needsClients(options: PoolOptions): boolean

  /** `pool.end()` serves callers in the queue first; pg-pool never calls them back. */
  readonly servesQueueAtEnd: boolean
  /** `pool.end()` waits until every connection is closed; pg-pool until none counts. */
  readonly endsWhenClosed: boolean

  /** A lost connection without an `error` listener ends the process, instead of being logged. */
  readonly throwsWithoutListener: boolean
  /** The cause of a lost connection and its end are two errors, each in an event of its own; otherwise one. */
  readonly separatesCauseFromEnd: boolean
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
  readsAsNodePostgres: true,
  accept: (given) => pgOptions(given) as GivenOptions,
  encode: (given) => {
    const parameters = new ConnectionParameters(given)
    return { options: corePoolOptions(parameters, given), variables: coreVariables(), ssl: parameters.ssl || undefined }
  },
  options: (given) => given as PoolOptions,
  throwsConfigurationErrors: false,
  toError: (wire) => {
    if (wire.code !== 'CONNECTION_TIMEOUT') return toPgError(wire)
    if (wire.message.startsWith(waitedTooLong)) return new Error(waitedTooLong)
    return new Error(connectedTooLate, { cause: new Error('Connection terminated unexpectedly') })
  },
  toClientError: toPgError,
  queueTimeout: () => new Error(waitedTooLong),
  closesAfterError: true,
  cancelsTimedOut: false,
  triesOtherConnections: false,
  emitsUseInTime: true,
  needsClients: ({ log, maxUses }) => Boolean(log) || maxUses !== Infinity,
  servesQueueAtEnd: false,
  endsWhenClosed: false,
  throwsWithoutListener: true,
  separatesCauseFromEnd: true,
  servesQueueAfterLoss: false,
  withholdsOpenCursors: false,
  lifetimeJitter: 0,
}

/** Pools of `createLakebasePool()`. */
export const lakebase: Policy = {
  readsAsNodePostgres: false,
  accept: revealed,
  encode: (given) => ({ options: encodeOptions(given), variables: environmentVariables(), ssl: undefined }),
  options: lakebaseOptions,
  throwsConfigurationErrors: true,
  toError,
  toClientError: toError,
  queueTimeout: () => {
    const hint = 'all connections were busy for connectionTimeoutMillis: raise max, or look for clients that are not released'
    return Object.assign(new TimeoutError(`${waitedTooLong} (${hint})`), { code: 'CONNECTION_TIMEOUT', hint })
  },
  closesAfterError: false,
  cancelsTimedOut: true,
  triesOtherConnections: true,
  emitsUseInTime: false,
  needsClients: () => false,
  servesQueueAtEnd: true,
  endsWhenClosed: true,
  throwsWithoutListener: false,
  separatesCauseFromEnd: false,
  servesQueueAfterLoss: true,
  withholdsOpenCursors: true,
  lifetimeJitter: 0.1,
}

/** Whether pg-pool's error says that connecting took too long. */
export function isConnectTimeout(error: Error): boolean {
  return error.message === connectedTooLate
}
