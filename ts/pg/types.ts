/**
 * The shapes that `@types/pg` declares, under its names, so that a program written against it compiles with this package, and this
 * package's pools and clients can stand where its are expected. `any` stands where it has it: there, programs rely on it.
 */

import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { ConnectionOptions as TlsOptions } from 'node:tls'
import type { NoticeMessage } from 'pg-protocol/dist/messages.js'
import type { Client } from '../client.js'
import type { PoolClient } from '../pool/pooled-connection.js'
import type { TypeSource } from '../types.js'

/** The values of a query: an array or a tuple, which may be `readonly`. */
export type QueryConfigValues<T> = T extends readonly unknown[] ? T : never

/** Where a client finds the parser of a type: `getTypeParser(oid, format)`. */
export interface CustomTypesConfig extends TypeSource {}

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

/** Options of a pool, with pg-pool's names, units and defaults. */
export interface PoolConfig extends ClientConfig {
  /** Connections at most. Default 10. */
  max?: number | undefined
  /** Connections kept when idle. Default 0. */
  min?: number | undefined
  /** Milliseconds after which an idle connection is closed. Default 10,000; 0 or null: never. */
  idleTimeoutMillis?: number | undefined | null
  /** Told what the pool does, in words. */
  log?: ((...messages: any[]) => void) | undefined
  /** The class of the promises that methods return. */
  Promise?: PromiseConstructorLike | undefined
  /** Let the process exit while connections lie idle. Default `false`. */
  allowExitOnIdle?: boolean | undefined
  /** Uses after which a connection is replaced. Default: unlimited. */
  maxUses?: number | undefined
  /** Age in seconds at which a connection is replaced. Default 0: unlimited. */
  maxLifetimeSeconds?: number | undefined
  /** This package's own: plain reads in flight per connection when all are busy. Default 64; 1: no pipelining. */
  maxPipeline?: number | undefined
  /** This package's own: writes share connections, too; what is behind one that waits for a lock waits with it. Default `false`. */
  pipelineWrites?: boolean | undefined
  /** A class derived from this package's `Client`. */
  Client?: (new () => ClientBase) | undefined
  /** Prepares a new connection before it is used for anything else. */
  onConnect?: ((client: ClientBase) => void) | undefined
  /** Accepts a new connection, or refuses it with an error, before its first caller gets it. */
  verify?: ((client: PoolClient, done: (err?: Error) => void) => void) | undefined
}

/** The options a pool has in force: `pool.options`. */
export interface PoolOptions extends Omit<PoolConfig, 'verify'> {
  max: number
  maxUses: number
  allowExitOnIdle: boolean
  maxLifetimeSeconds: number
  idleTimeoutMillis: number | null
  /** Declared for any client, so that a pool of this package can stand where node-postgres' is expected. */
  verify?: ((client: ClientBase, done: (err?: Error) => void) => void) | undefined
}

/** A query as an object. */
export interface QueryConfig<I = any[]> {
  /** Prepares the statement under this name, once per connection. */
  name?: string | undefined
  text: string
  values?: QueryConfigValues<I>
  types?: CustomTypesConfig | undefined
  /** `extended`: use the extended protocol even without values. */
  queryMode?: 'extended' | undefined
  /** Ask for values in binary format. */
  binary?: boolean | undefined
  /** Milliseconds after which the query is given up. */
  query_timeout?: number | undefined
  /** Aborting it cancels the query on the server; it fails with an `AbortError` (`ABORT_ERR`), and its connection can be used on. */
  signal?: AbortSignal | undefined
}

/** A query whose rows are arrays of values instead of objects. */
export interface QueryArrayConfig<I = any[]> extends QueryConfig<I> {
  rowMode: 'array'
}

/** A query object that sends itself: `Query`, pg-cursor, pg-query-stream, pg-copy-streams. */
export interface Submittable {
  submit: (connection: Connection) => void
}

/** One column of a result. */
export interface FieldDef {
  name: string
  tableID: number
  columnID: number
  dataTypeID: number
  dataTypeSize: number
  dataTypeModifier: number
  format: string
}

export interface QueryResultBase {
  /** First word of the command tag: `SELECT`, `INSERT`, … */
  command: string
  /** Rows affected or returned; null where the command has no count. */
  rowCount: number | null
  oid: number
  fields: FieldDef[]
}

/** A row as an object, keyed by column name. */
export interface QueryResultRow {
  [column: string]: any
}

export interface QueryResult<R extends QueryResultRow = any> extends QueryResultBase {
  rows: R[]
}

export interface QueryArrayResult<R extends any[] = any[]> extends QueryResultBase {
  rows: R[]
}

export interface ResultBuilder<R extends QueryResultRow = any> extends QueryResult<R> {
  addRow(row: R): void
}

/** A NOTIFY that reached a listening client. */
export interface Notification {
  processId: number
  channel: string
  payload?: string | undefined
}

/** `I` idle, `T` in a transaction, `E` in a failed one; null before the connection is ready. */
export type TransactionStatus = 'I' | 'T' | 'E' | null

export interface QueryParse {
  name: string
  text: string
  types: string[]
}

export interface BindConfig {
  portal?: string | undefined
  statement?: string | undefined
  binary?: string | undefined
  values?: (Buffer | null | undefined | string)[] | undefined
  valueMapper?: ((param: any, index: number) => any) | undefined
}

export interface ExecuteConfig {
  portal?: string | undefined
  rows?: string | undefined
}

export interface MessageConfig {
  type: string
  name?: string | undefined
}

/** What a `Submittable` speaks the protocol with. */
export interface Connection extends EventEmitter {
  readonly stream: Duplex
  bind(config: BindConfig | null, more: boolean): void
  execute(config: ExecuteConfig | null, more: boolean): void
  parse(query: QueryParse, more: boolean): void
  query(text: string): void
  describe(msg: MessageConfig, more: boolean): void
  close(msg: MessageConfig, more: boolean): void
  flush(): void
  sync(): void
  end(): void
}

export interface Events extends EventEmitter {
  on(event: 'error', listener: (err: Error, client: Client) => void): this
}

/** Listener of a pool's event. */
export type PoolListener<E> = E extends 'error' | 'release' ? (err: Error, client: PoolClient) => void : (client: PoolClient) => void

/** Listener of a client's event. */
export type ClientListener<E> = E extends 'connect' | 'drain' | 'end'
  ? () => void
  : E extends 'error'
    ? (err: Error) => void
    : E extends 'notice'
      ? (notice: NoticeMessage) => void
      : (message: Notification) => void

/** Listener of a query's event. */
export type QueryListener<E, R extends QueryResultRow> = E extends 'row'
  ? (row: R, result?: ResultBuilder<R>) => void
  : E extends 'error'
    ? (err: Error) => void
    : (result: ResultBuilder<R>) => void

/** What clients of both packages have in common. A type only: there is no class of this name. */
export interface ClientBase
  extends EventEmitter,
    Pick<
      Client,
      | 'query'
      | 'copyFrom'
      | 'copyTo'
      | 'pauseDrain'
      | 'resumeDrain'
      | 'escapeIdentifier'
      | 'escapeLiteral'
      | 'setTypeParser'
      | 'getTypeParser'
      | 'getTransactionStatus'
    > {
  connect(): Promise<ClientBase>
  connect(callback: ((err: Error) => void) | ((err: null, c: ClientBase) => void)): void
  on<E extends 'connect' | 'drain' | 'error' | 'notice' | 'notification' | 'end'>(event: E, listener: ClientListener<E>): this
}
