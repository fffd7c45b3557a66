/** What `@types/pg` declares of clients, under its names. See query.ts. */

import type { Duplex } from 'node:stream'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { NoticeMessage } from 'pg-protocol/dist/messages.js'
import type { CustomTypesConfig } from './query.js'

/** Options of a client, with node-postgres' names, units and defaults. */
export interface ClientConfig {
  user?: string | undefined
  database?: string | undefined
  /** A string, or a function called for each new connection. */
  password?: string | (() => string | Promise<string>) | undefined
  port?: number | undefined
  host?: string | undefined
  /** A `postgres://` URL. Wins over every other option. */
  connectionString?: string | undefined
  /** TCP keep-alive. Default `false`. */
  keepAlive?: boolean | undefined
  /** Not used: the sockets are opened in Rust. */
  stream?: () => Duplex | undefined
  /** Milliseconds after which the server gives a statement up. */
  statement_timeout?: false | number | undefined
  ssl?: boolean | TlsOptions | undefined
  /** SCRAM-SHA-256-PLUS where the server offers it. Default `false`. */
  enableChannelBinding?: boolean | undefined
  /** `direct` starts TLS without asking first (PostgreSQL 17). Default `postgres`. */
  sslnegotiation?: 'postgres' | 'direct' | undefined
  /** Milliseconds after which a query is given up on this side. */
  query_timeout?: number | undefined
  /** Milliseconds a statement may wait for a lock. */
  lock_timeout?: number | undefined
  /** Silence before the first keep-alive probe, in milliseconds. */
  keepAliveInitialDelayMillis?: number | undefined
  /** Milliseconds a transaction may lie idle before the server ends the session. */
  idle_in_transaction_session_timeout?: number | undefined
  application_name?: string | undefined
  fallback_application_name?: string | undefined
  /** Milliseconds. Default 0: no bound. */
  connectionTimeoutMillis?: number | undefined
  types?: CustomTypesConfig | undefined
  /** Startup options, for example `-c search_path=app`. */
  options?: string | undefined
  client_encoding?: string | undefined
  /** Hands queries over at once instead of one after another. Default `false`. */
  pipeline?: boolean | undefined
  /** This package's own: prepared statements kept per connection. Default 256; 0: none. */
  statementCacheSize?: number | undefined
}

export type ConnectionConfig = ClientConfig

/** Settings of the process that a program may change: `pg.defaults`. */
export interface Defaults extends ClientConfig {
  poolSize?: number | undefined
  poolIdleTimeout?: number | undefined
  reapIntervalMillis?: number | undefined
  /** Ask for binary results unless a query says otherwise. */
  binary?: boolean | undefined
  /** Parse `int8` as a number (exact up to 2^53) instead of giving its text. */
  parseInt8?: boolean | undefined
  /** Send a `Date` as UTC instead of as local time with offset. */
  parseInputDatesAsUTC?: boolean | undefined
}

/** A NOTIFY that reached a listening client. */
export interface Notification {
  processId: number
  channel: string
  payload?: string | undefined
}

/** `I` idle, `T` in a transaction, `E` in a failed one; null before the connection is ready. */
export type TransactionStatus = 'I' | 'T' | 'E' | null

/** Listener of a client's event. */
export type ClientListener<E> = E extends 'connect' | 'drain' | 'end'
  ? () => void
  : E extends 'error'
    ? (err: Error) => void
    : E extends 'notice'
      ? (notice: NoticeMessage) => void
      : (message: Notification) => void
