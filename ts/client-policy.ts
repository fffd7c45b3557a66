/** What differs between clients of node-postgres' kind and those of a Lakebase pool: a part of `Policy` in policy.ts. */

import { toError, type WireError } from './errors.js'
import { toPgError } from './pg-errors.js'

export interface ClientPolicy {
  /** Makes the errors of a client. */
  toClientError(wire: WireError): Error
  /** A lost connection without an `error` listener ends the process, instead of being logged. */
  readonly throwsWithoutListener: boolean
  /** The cause of a lost connection and its end are two errors, each in an event of its own; otherwise one. */
  readonly separatesCauseFromEnd: boolean
  /** A query that has timed out (`query_timeout`) is cancelled on the server, and its connection used on; otherwise the connection is closed. */
  readonly cancelsTimedOut: boolean
}

/** Clients of `lakebase-native/pg`, and every client without a pool. */
export const nodePostgresClient: ClientPolicy = {
  toClientError: toPgError,
  throwsWithoutListener: true,
  separatesCauseFromEnd: true,
  cancelsTimedOut: false,
}

/** Clients of a Lakebase pool. */
export const lakebaseClient: ClientPolicy = {
  toClientError: toError,
  throwsWithoutListener: false,
  separatesCauseFromEnd: false,
  cancelsTimedOut: true,
}
