/** One connection: node-postgres' `Client`, in a pool's hands or on its own. */

import { EventEmitter } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { deprecate, inspect, type InspectOptionsStylized } from 'node:util'
import { AbortError, signalOf } from './abort.js'
import { defaults } from './defaults.js'
import { environment, expect, hold, unlisten } from './environment.js'
import { restack, type WireError } from './errors.js'
import type { ConnectEvent, ConnectionNews, EndEvent } from './events.js'
import { escapeIdentifier, escapeLiteral } from './escape.js'
import { brief } from './inspection.js'
import * as instrumentation from './instrumentation.js'
import type { ConnectionOptions } from './config/options.js'
import { type ConnectionParameters, hide, parametersOf } from './config/connection-parameters.js'
import { type ClientPolicy, nodePostgresClient } from './client-policy.js'
import { noticeOf, notificationOf } from './protocol/messages.js'
import { openConnection } from './connect.js'
import { startupOf } from './config/resolved.js'
import type { ClientConfig, ClientListener, TransactionStatus } from './interfaces/client.js'
import type {
  Connection,
  QueryArrayConfig,
  QueryArrayResult,
  QueryConfig,
  QueryConfigValues,
  QueryResult,
  QueryResultRow,
  Submittable,
} from './interfaces/query.js'
import { guarded, inContext, Query, type QueryCallback, type QuerySettings } from './query.js'
import { QueryQueue } from './query-queue.js'
import { Portal, type StreamOptions } from './stream.js'
import { TypeOverrides, type TypeParser, type TypeSource } from './types.js'

/** Options of a client: a connection's, and what only JavaScript needs. */
interface ClientOptions extends ConnectionOptions {
  types?: TypeSource
}

type ConnectCallback = (error: Error | null | undefined, client?: Client) => void

/**
 * A connection to PostgreSQL. From `pool.connect()`, or on its own: `new Client(options)`, `connect()`, `query()`, `end()`.
 *
 * Emits `connect`, `end`, `error`, `notice`, `notification` and `drain`, as node-postgres' does.
 */
export class Client extends EventEmitter {
  /** The class of query objects, as node-postgres has it here too. */
  static Query = Query

  connectionParameters: ConnectionParameters
  user: string
  database: string
  port: number
  host: string
  /** Not printed, not serialized. */
  declare password: any
  replication: string | undefined
  /** @internal */
  _ending = false
  /** @internal */
  _ended = false
  /** @internal */
  _connecting = false
  /** @internal */
  _connected = false
  /** @internal */
  _connectionError = false
  /** @internal */
  _queryable = true
  enableChannelBinding: boolean
  scramMaxIterations: number
  /** Queries are handed over at once; they still run one after another. */
  pipeline: boolean
  binary: boolean
  processID: number | null = null
  secretKey: number | null = null
  ssl: any
  sslNegotiation: 'postgres' | 'direct'
  /** Parameters the server reported at startup. */
  parameters: Record<string, string> = {}

  /** @internal */
  declare _policy: ClientPolicy
  /** @internal Hears that this client parses in its own way. */
  declare _onTypeParser?: () => void
  /** @internal The connection's number in Rust, 0 before there is one. */
  _connection = 0
  /** @internal How the client's pool makes its connection; a client without a pool asks Rust. */
  _opener: ((done: (error: Error | null) => void) => void) | undefined
  /** Private to the language, not to TypeScript alone: only the core reads them, and no inspection shows them. */
  readonly #given: ClientOptions & LegacyOptions
  private readonly overrides: TypeOverrides
  private readonly promise: PromiseConstructor
  private readonly queries: QueryQueue
  private number = 0
  private held = false
  /** `end()` came while the connection was being made. */
  private givenUp = false
  /** Somebody has destroyed the stream of `connection`, or a query of a client that pipelines has timed out. */
  private isSevered = false
  private connectCallback: ConnectCallback | null = null
  private endWaiters: (() => void)[] = []
  /** Reports the end of the attempt to connect, if somebody has subscribed. */
  private connectEnded: ReturnType<typeof instrumentation.beginConnect>

  constructor(config?: string | ClientConfig) {
    super()
    const given = ((typeof config === 'object' && config) || {}) as ClientOptions & LegacyOptions
    const parameters = parametersOf(config)
    this.connectionParameters = parameters
    this.user = parameters.user
    this.database = parameters.database
    this.port = parameters.port
    this.host = parameters.host
    hide(this, 'password', parameters.password)
    this.replication = parameters.replication
    if (given.Promise) warnOfPromise()
    this.promise = given.Promise ?? Promise
    this.overrides = new TypeOverrides(given.types)
    const events = { failed: (error: Error) => this.handleFailure(error), severed: () => this.sever() }
    Object.defineProperty(this, '_policy', { value: nodePostgresClient, writable: true })
    this.queries = new QueryQueue(this, events, this.overrides)
    this.enableChannelBinding = Boolean(given.enableChannelBinding)
    this.scramMaxIterations = numberOr(given.scramMaxIterations, 100_000)
    this.pipeline = Boolean(given.pipeline)
    this.binary = given.binary || defaults.binary
    this.ssl = parameters.ssl || false
    this.sslNegotiation = parameters.sslnegotiation ?? 'postgres'
    this.#given = given
    for (const name of ['overrides', 'promise', 'queries', 'endWaiters', 'connectCallback', '_opener', 'connectEnded']) {
      Object.defineProperty(this, name, { enumerable: false })
    }
  }

  /** Connects a client without a pool. A pool's client is already connected. */
  connect(): Promise<Client>
  connect(callback: ((err: Error) => void) | ((err: null, c: Client) => void)): void
  connect(callback?: (...args: any[]) => void): Promise<Client> | void {
    if (callback) return this.open(callback)
    return new this.promise<Client>((resolve, reject) => {
      this.open((error) => (error ? reject(error) : resolve(this)))
    })
  }

  private open(callback: ConnectCallback): void {
    // A second call takes the first one's place before it is refused, as in node-postgres.
    this.connectCallback = callback
    if (this._connecting || this._connected) {
      const error = new Error('Client has already been connected. You cannot reuse a client.')
      process.nextTick(() => callback(error))
      return
    }
    this._connecting = true
    this.connectEnded = instrumentation.isObserved ? instrumentation.beginConnect(this) : undefined
    if (this._opener) {
      return this._opener((error) => {
        this.connectEnded?.({ connection: this._connection || undefined, error: error ?? undefined })
        callback(error, this)
      })
    }
    this.number = openConnection(this, this.#given, {
      opened: (connection) => this.opened(connection),
      failed: (error) => this.openFailed(error),
    })
  }

  private opened(connection: number): void {
    this.attach(connection)
    this.connectEnded?.({ connection })
    // Somebody has called end() meanwhile and no longer waits for a connection.
    if (this.givenUp) return environment.closeClient(connection, true)
    const callback = this.connectCallback
    this.connectCallback = null
    callback?.(null, this)
    this.emit('connect')
    this.queries.pulse()
  }

  private openFailed(error: Error): void {
    this.connectEnded?.({ connection: undefined, error })
    this.handleFailure(error)
    // A refusal of the server comes a moment before the end of its connection.
    if ('severity' in error) setImmediate(() => this.handleEnd())
    else this.handleEnd()
  }

  /** @internal Takes what the server has told at login. */
  introduce(event: ConnectEvent): void {
    this._connection = event.connection
    this.processID = event.processId
    this.secretKey = event.secretKey
    this.parameters = Object.fromEntries(event.parameters)
    this.queries.introduce(this.parameters, this.processID, this.secretKey)
  }

  /** @internal The connection is ready for queries. */
  attach(connection: number): void {
    this._connection = connection
    this._connecting = false
    this._connected = true
    this.queries.open()
    this.ref()
  }

  /** @internal */
  handleEvent(event: ConnectionNews | EndEvent): void {
    switch (event.event) {
      case 'notice':
        this.emit('notice', noticeOf(event.notice))
        break
      case 'notification':
        this.emit('notification', notificationOf(event.processId, event.channel, event.payload))
        break
      case 'error':
        this.handleFailure(this._policy.toClientError(event.error))
        break
      case 'end':
        this.handleEnd(event.error)
        break
    }
  }

  /** The connection has failed: fails the queries that wait, then emits `error`. */
  private handleFailure(error: Error): void {
    if (this._connecting) {
      if (this._connectionError) return
      this._connectionError = true
      if (this.connectCallback) this.connectCallback(error)
      else this.emit('error', error)
      return
    }
    this._queryable = false
    this.queries.failAll(error)
    if (this._policy.throwsWithoutListener || this.listenerCount('error')) this.emit('error', error)
    else console.error('lakebase-native: a client lost its connection and has no "error" listener:', error.message)
  }

  /** @internal The connection has ended, perhaps for a `cause`. Calls back when the callbacks of `end()` were called. */
  handleEnd(cause?: WireError | null, told: () => void = nothing): void {
    const end = (): void => {
      // A query class that has not read all its messages keeps the process alive itself.
      this.unref()
      this.queries.drain(this._ending, () => this.tellCause(cause, told))
    }
    // As with a socket, whose end is an event after its last data: a query's promise is settled before.
    if (this.queries.isOver && this._policy.separatesCauseFromEnd) setImmediate(end)
    else end()
  }

  /** Emits the error of the system or the server; the end comes after it, in an event of its own. Listeners may change how the end is told. */
  private tellCause(cause: WireError | null | undefined, told: () => void): void {
    const { separatesCauseFromEnd } = this._policy
    const isTold = cause && !this._ending && (!separatesCauseFromEnd || cause.server || cause.system?.length || cause.kind === 'protocol')
    if (isTold) guarded(() => this.handleFailure(this._policy.toClientError(cause)))
    if (isTold && separatesCauseFromEnd) setImmediate(() => this.ended(cause, told))
    else this.ended(cause, told)
  }

  private ended(cause: WireError | null | undefined, told: () => void): void {
    if (this._ended) return
    unlisten(this.number)
    // Without a cause it was this side that ended it: end(), or the pool; with a server's broken protocol, too.
    const isOurs = !cause || cause.kind === 'protocol'
    const expected = this._ending || (isOurs && !this._connectionError && !this.isSevered)
    const error = new Error(expected ? 'Connection terminated' : 'Connection terminated unexpectedly')
    this.queries.failAll(error)
    this._ended = true
    this.unref()
    if (!expected && !this._connectionError && this._policy.separatesCauseFromEnd) guarded(() => this.handleFailure(error))
    for (const done of this.endWaiters.splice(0)) guarded(done)
    guarded(told)
    this.queries.tellIdle()
    process.nextTick(() => this.emit('end'))
  }

  /** @internal Calls back when the connection has ended, in turn with the callbacks of `end()`. */
  _onEnd(callback: () => void): void {
    this.endWaiters.push(callback)
  }

  /** Runs a query after those before it; see node-postgres' `client.query`. */
  query<T extends Submittable>(queryStream: T): T
  query<R extends any[] = any[], I = any[]>(queryConfig: QueryArrayConfig<I>, values?: QueryConfigValues<I>): Promise<QueryArrayResult<R>>
  query<R extends QueryResultRow = any, I = any>(queryConfig: QueryConfig<I>): Promise<QueryResult<R>>
  query<R extends QueryResultRow = any, I = any[]>(
    queryTextOrConfig: string | QueryConfig<I>,
    values?: QueryConfigValues<I>,
  ): Promise<QueryResult<R>>
  query<R extends any[] = any[], I = any[]>(
    queryConfig: QueryArrayConfig<I>,
    callback: (err: Error, result: QueryArrayResult<R>) => void,
  ): void
  query<R extends QueryResultRow = any, I = any[]>(
    queryTextOrConfig: string | QueryConfig<I>,
    callback: (err: Error, result: QueryResult<R>) => void,
  ): void
  query<R extends QueryResultRow = any, I = any[]>(
    queryText: string,
    values: QueryConfigValues<I>,
    callback: (err: Error, result: QueryResult<R>) => void,
  ): void
  /** @internal */
  query(config: string | QuerySettings | Query, values: readonly unknown[] | undefined, callback: QueryCallback): void
  query(config: string | QuerySettings | Query, values?: readonly unknown[] | ((...args: any[]) => void), callback?: (...args: any[]) => void): unknown {
    if (config === null || config === undefined) throw new TypeError('Client was passed a null or undefined query')
    let query: Query
    let result: Promise<QueryResult> | Query | undefined
    if (typeof (config as Partial<Submittable>).submit === 'function') {
      query = result = config as Query
      if (!query.callback) {
        if (typeof values === 'function') query.callback = inContext(values)
        else if (callback) query.callback = inContext(callback)
      }
      if (query._result && !query._result._types) query._result._types = this.overrides
    } else {
      query = new Query(config, values, callback)
      query._own = true
      if (!query.callback) {
        result = new this.promise<QueryResult>((resolve, reject) => {
          query.callback = (error, answer) => (error ? reject(error) : resolve(answer as QueryResult))
        }).catch(restack)
      } else if (typeof query.callback !== 'function') {
        throw new TypeError('callback is not a function')
      } else {
        query.callback = inContext(query.callback)
      }
    }
    const signal = query._own ? signalOf(config) : undefined
    if (signal?.aborted) {
      this.queries.refuse(query, new AbortError(signal))
      return result
    }
    if (signal) this.queries.endWith(signal, query)
    this.queries.bound(query, (config as QuerySettings).query_timeout || Number(this.connectionParameters.query_timeout || 0))
    if (this.binary && !query.binary) query.binary = true
    this.queries.add(query)
    return result
  }

  /**
   * The rows of one query as an async iterator, fetched in batches as fast as they are taken; memory stays bounded however many there are.
   * Other queries of this client wait until it is read to its end or left, as by `break`.
   */
  stream<Row = Record<string, unknown>>(text: string, values?: readonly unknown[], options: StreamOptions = {}): AsyncGenerator<Row, void, undefined> {
    const portal = new Portal(this.queries, text, values, options)
    return portal.rows<Row>(() => this.queries.add(portal))
  }

  private sever(): void {
    this.isSevered = true
    environment.closeClient(this._connection, true)
  }

  /** The connection beneath, as query classes of other packages use it. */
  get connection(): Connection {
    return this.queries.conversation.connection as unknown as Connection
  }

  /** @internal A stream has not been read to its end, or left. */
  get _streaming(): boolean {
    return this.queries.holds((query) => query instanceof Portal)
  }

  /** @internal A query class of another package has not come to its end, and may not without the caller: a cursor, a copy. */
  get _isOpenEnded(): boolean {
    return this.queries.holds((query) => !(query instanceof Query))
  }

  /** @internal A query is running, given up or not, or waiting. */
  get _isBusy(): boolean {
    return !this._ended && this.queries.isBusy
  }

  /** @internal Calls back when no query is running or waiting. */
  whenIdle(callback: () => void): void {
    if (!this._isBusy) callback()
    else this.queries.whenIdle(callback)
  }

  /** Asks the server to cancel the query that is running. Resolves when the server has taken the request, whether it helped or not. */
  cancelQuery(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      environment.cancel(this._connection, expect({ event: () => resolve(), fail: reject }))
    })
  }

  /** Cancels what `client` runs for `query`, or takes it from its queue. */
  cancel(client: Client, query: Query): void {
    if (client.queries.active === query) client.cancelQuery().catch((error: Error) => this.emit('error', error))
    else client.queries.remove(query)
  }

  /** Ends the connection; a query that is still running is cut off, unless the client pipelines. */
  end(): Promise<void>
  end(callback: (err: Error) => void): void
  end(callback?: (...args: any[]) => void): Promise<void> | void {
    this._ending = true
    if ((!this._connected && !this._connecting) || this._ended) return callback ? callback() : this.promise.resolve()
    if (this.pipeline && this._queryable && (this._connecting ? this.queries.waiting.length > 0 : this._isBusy)) {
      this.once('drain', () => environment.closeClient(this._connection, false))
    } else if (this._connecting) {
      this.givenUp = true
    } else {
      environment.closeClient(this._connection, this.queries.active !== null || !this._queryable)
    }
    if (callback) {
      this.endWaiters.push(inContext(callback))
      return
    }
    return new this.promise((resolve) => this.endWaiters.push(resolve))
  }

  /** The parameters of the startup message. */
  getStartupConf(): Record<string, string> {
    return startupOf(this.connectionParameters)
  }

  /** @deprecated as in node-postgres: the query that is running. */
  get activeQuery(): Query | null {
    warnOfActiveQuery()
    return this.queries.active as Query | null
  }

  /** @deprecated as in node-postgres: the queries that wait. */
  get queryQueue(): Query[] {
    warnOfQueryQueue()
    return this.queries.waiting as Query[]
  }

  /** The transaction's state after the last query: `I` idle, `T` in a transaction, `E` in a failed one; null before the first. */
  getTransactionStatus(): TransactionStatus {
    return this.queries.status
  }

  setTypeParser(oid: number, parser: TypeParser<string>): void
  setTypeParser(oid: number, format: 'text' | 'binary', parser: TypeParser): void
  setTypeParser(oid: number, format: 'text' | 'binary' | TypeParser, parser?: TypeParser): void {
    this.overrides.setTypeParser(oid, format, parser)
    this._onTypeParser?.()
  }

  getTypeParser(oid: number, format?: 'text' | 'binary'): TypeParser {
    return this.overrides.getTypeParser(oid, format)
  }

  escapeIdentifier(text: string): string {
    return escapeIdentifier(text)
  }

  escapeLiteral(text: string): string {
    return escapeLiteral(text)
  }

  /** @internal What `console.log` shows. */
  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const { host, port, database, user, processID } = this
    return brief(this, { host, port, database, user, processID, waitingCount: this.queries.waiting.length }, depth, options)
  }

  /** Keeps the process alive while the connection is open; the default. */
  ref(): void {
    if (!this.held && this._connected && !this._ended) {
      this.held = true
      hold(1)
    }
  }

  unref(): void {
    if (this.held) {
      this.held = false
      hold(-1)
    }
  }
}

/** What `@types/pg` declares of every client: without it none could stand where its clients are expected. */
export interface Client {
  on<E extends 'connect' | 'drain' | 'error' | 'notice' | 'notification' | 'end'>(event: E, listener: ClientListener<E>): this
  /** @deprecated Neither node-postgres nor this package has it any more: use pg-copy-streams. */
  copyFrom(queryText: string): Writable
  /** @deprecated Neither node-postgres nor this package has it any more: use pg-copy-streams. */
  copyTo(queryText: string): Readable
  /** @deprecated Neither node-postgres nor this package has it any more. */
  pauseDrain(): void
  /** @deprecated Neither node-postgres nor this package has it any more. */
  resumeDrain(): void
}

/** Options that node-postgres has and types do not encourage. */
interface LegacyOptions {
  Promise?: PromiseConstructor
  pipeline?: boolean
  binary?: boolean
  scramMaxIterations?: number | string
}

function numberOr(value: unknown, otherwise: number): number {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : otherwise
}

const nothing = (): void => {}
const warnOfActiveQuery = deprecate(nothing, 'Client.activeQuery is deprecated and will be removed in pg@9.0')
const warnOfQueryQueue = deprecate(nothing, 'Client.queryQueue is deprecated and will be removed in pg@9.0.')
const warnOfPromise = deprecate(
  nothing,
  'Passing a custom Promise implementation to the Client/Pool constructor is deprecated and will be removed in pg@9.0.',
)
