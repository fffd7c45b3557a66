/** One connection: node-postgres' `Client`, in a pool's hands or on its own. */

import { EventEmitter } from 'node:events'
import { environment, expect, hold, listen, unlisten, type WireEvent } from './environment.js'
import { databaseError, restack, toError, type WireError } from './errors.js'
import { escapeIdentifier, escapeLiteral } from './escape.js'
import { encodeOptions, environmentVariables, type ConnectionOptions } from './options.js'
import { answerPassword } from './password.js'
import { Query, type QueryCallback, type QueryConfig } from './query.js'
import type { Result } from './result.js'
import { TypeOverrides, type TypeParser } from './types.js'

const notQueryable = 'Client has encountered a connection error and is not queryable'
const closed = 'Client was closed and is not queryable'

/** What the server said at startup. */
export interface SessionInfo {
  processID: number | null
  secretKey: number | null
  /** `server_version`, `TimeZone`, … as reported at startup. */
  parameters: Record<string, string>
}

/** Options of a client: a connection's, and what only JavaScript needs. */
export interface ClientOptions extends ConnectionOptions {
  types?: { getTypeParser: (oid: number, format?: 'text' | 'binary') => TypeParser }
}

type ConnectCallback = (error: Error | null | undefined, client?: Client) => void

/**
 * A connection to PostgreSQL. From `pool.connect()`, or on its own: `new Client(options)`, `connect()`, `query()`, `end()`.
 *
 * Emits `connect`, `end`, `error`, `notice`, `notification` and `drain`, as node-postgres' does.
 */
export class Client extends EventEmitter {
  host: string
  port: number
  user: string
  database: string
  processID: number | null = null
  secretKey: number | null = null
  /** Parameters the server reported at startup. */
  parameters: Record<string, string> = {}

  /** @internal The connection's number in Rust, 0 before there is one. */
  _connection = 0
  /** @internal */
  _queryable = true
  /** @internal */
  _ending = false
  /** @internal */
  _ended = false
  readonly #options: ClientOptions
  private readonly overrides: TypeOverrides
  private queue: Query[] = []
  private active: Query | null = null
  private ready = false
  private hasExecuted = false
  private connecting = false
  private connected = false
  private status: string | null = null
  private number = 0
  private held = false
  private endWaiters: (() => void)[] = []
  private idleWaiters: (() => void)[] = []

  constructor(options?: string | ClientOptions) {
    super()
    this.#options = typeof options === 'string' ? { connectionString: options } : { ...options }
    this.overrides = new TypeOverrides(this.#options.types)
    const { host, port, user, database } = this.#options
    this.host = host ?? 'localhost'
    this.port = Number(port ?? 5432)
    this.user = user ?? ''
    this.database = database ?? ''
  }

  /** Connects a client of its own. A pool's client is already connected. */
  connect(): Promise<Client>
  connect(callback: ConnectCallback): void
  connect(callback?: ConnectCallback): Promise<Client> | void {
    if (!callback) {
      return new Promise<Client>((resolve, reject) => {
        this.open((error) => (error ? reject(error) : resolve(this)))
      }).catch(restack)
    }
    this.open(callback)
  }

  private open(callback: ConnectCallback): void {
    if (this.connecting || this.connected) {
      const error = new Error('Client has already been connected. You cannot reuse a client.')
      process.nextTick(() => callback(error))
      return
    }
    this.connecting = true
    this.number = listen((event) => this.hear(event))
    const request = expect({
      event: (event) => {
        this.attach(event.connection!)
        callback(null, this)
        this.emit('connect')
        this.pulse()
      },
      fail: (error) => {
        this.connecting = false
        this._queryable = false
        unlisten(this.number)
        callback(error)
        this.finish(error)
      },
    })
    environment.openClient(this.number, request, encodeOptions(this.#options), environmentVariables())
  }

  private hear(event: WireEvent): void {
    switch (event.event) {
      case 'connect':
        this.introduce(event)
        break
      case 'password':
        answerPassword(event.question as number, this.#options.password, { host: this.host, port: this.port, user: this.user, database: this.database })
        break
      default:
        this.handleEvent(event)
    }
  }

  /** @internal Takes what a new connection says about itself. */
  introduce(event: WireEvent): void {
    this._connection = event.connection!
    this.processID = event.processId as number
    this.secretKey = event.secretKey as number
    this.parameters = event.parameters as Record<string, string>
  }

  /** @internal The connection is ready for queries. */
  attach(connection: number): void {
    this._connection = connection
    this.connecting = false
    this.connected = true
    this.ready = true
    this.ref()
  }

  /** @internal */
  handleEvent(event: WireEvent): void {
    switch (event.event) {
      case 'notice':
        this.emit('notice', noticeOf(event.notice as NonNullable<WireError['server']>))
        break
      case 'notification': {
        const { channel, payload } = event
        this.emit('notification', { name: 'notification', processId: event.processId, channel, payload, length: lengthOf(channel, payload) })
        break
      }
      case 'end':
        this.handleEnd(event.error ? toError(event.error as WireError) : undefined)
        break
    }
  }

  private handleEnd(error: Error | undefined): void {
    unlisten(this.number)
    const unexpected = !this._ending && error ? error : undefined
    this._queryable = false
    this.finish(this._ending ? new Error('Connection terminated') : (error ?? new Error('Connection terminated')))
    if (unexpected) this.emitError(unexpected)
    process.nextTick(() => this.emit('end'))
  }

  /** An error without a listener is told, not thrown: a server's restart must not end the process. */
  private emitError(error: Error): void {
    if (this.listenerCount('error')) this.emit('error', error)
    else console.error('lakebase-native: a client lost its connection and has no "error" listener:', error.message)
  }

  /** Nothing more will come: everybody who waits is told. */
  private finish(error: Error): void {
    this._ended = true
    this.unref()
    const lost = this.active ? [this.active, ...this.queue] : this.queue
    this.active = null
    this.queue = []
    for (const query of lost) process.nextTick(() => query.handleError(error))
    for (const done of this.endWaiters.splice(0)) done()
    for (const idle of this.idleWaiters.splice(0)) idle()
  }

  /** Runs a query after those before it; see node-postgres' `client.query`. */
  query(config: Query): Query
  query(config: string | QueryConfig, values: readonly unknown[] | undefined, callback: QueryCallback): void
  query(config: string | QueryConfig, callback: QueryCallback): void
  query(config: string | QueryConfig, values?: readonly unknown[]): Promise<Result>
  query(
    config: string | QueryConfig | Query,
    values?: readonly unknown[] | QueryCallback,
    callback?: QueryCallback,
  ): Promise<Result> | Query | void {
    if (config === null || config === undefined) throw new TypeError('Client was passed a null or undefined query')
    let query: Query
    let result: Promise<Result> | Query | undefined
    if (config instanceof Query) {
      query = result = config
      if (!query.callback) query.callback = typeof values === 'function' ? values : callback
    } else {
      query = new Query(config, values, callback)
      if (!query.callback) {
        result = new Promise<Result>((resolve, reject) => {
          query.callback = (error, answer) => (error ? reject(error) : resolve(answer as Result))
        }).catch(restack)
      } else if (typeof query.callback !== 'function') {
        throw new TypeError('callback is not a function')
      }
    }
    this.bound(query, (config as QueryConfig).query_timeout || Number(this.#options.query_timeout || 0))
    this.enqueue(query)
    return result
  }

  /** Gives a query up after `millis`. The server may still be running it. */
  private bound(query: Query, millis: number): void {
    if (!millis) return
    const answer = query.callback ?? (() => {})
    const timer = setTimeout(() => {
      const error = new Error('Query read timeout')
      process.nextTick(() => query.handleError(error))
      answer(error)
      query.callback = () => {}
      const waiting = this.queue.indexOf(query)
      if (waiting >= 0) this.queue.splice(waiting, 1)
      this.pulse()
    }, millis)
    query.callback = (error, result) => {
      clearTimeout(timer)
      answer(error, result)
    }
  }

  private enqueue(query: Query): void {
    const refusal = !this._queryable ? notQueryable : this._ending ? closed : undefined
    if (refusal) {
      process.nextTick(() => query.handleError(new Error(refusal)))
      return
    }
    this.queue.push(query)
    this.pulse()
  }

  /** Sends the next query when the one before it is done. */
  private pulse(): void {
    if (!this.ready) return
    const query = this.queue.shift()
    if (!query) {
      if (this.hasExecuted) this.emit('drain')
      for (const idle of this.idleWaiters.splice(0)) idle()
      return
    }
    this.active = query
    this.ready = false
    this.hasExecuted = true
    const wrong = query.dispatch(this.overrides, (text, name, params, flags) => {
      const request = expect({
        options: { rowMode: query._rowMode, types: query.types ?? this.overrides },
        respond: (results, _connection, status, error) => this.done(query, status, () => query.handleResults(results, error)),
        fail: (error) => this.done(query, this.status ?? 'I', () => query.handleError(error)),
      })
      environment.clientQuery(this._connection, request, text, name, params, flags)
    })
    if (wrong) process.nextTick(() => this.done(query, this.status ?? 'I', () => query.handleError(wrong)))
  }

  private done(query: Query, status: string, tell: () => void): void {
    // A connection that ended has already told it.
    if (this.active !== query) return
    this.active = null
    this.status = status
    this.ready = true
    tell()
    this.pulse()
  }

  /** @internal Calls back when no query is running or waiting. */
  whenIdle(callback: () => void): void {
    if (!this.active && this.queue.length === 0) callback()
    else this.idleWaiters.push(callback)
  }

  /** Asks the server to cancel the query that is running. Resolves when the server has taken the request, whether it helped or not. */
  cancelQuery(): Promise<void> {
    return new Promise<void>((resolve, reject) => {
      environment.cancel(this._connection, expect({ event: () => resolve(), fail: reject }))
    })
  }

  /** Ends the connection. */
  end(): Promise<void>
  end(callback: () => void): void
  end(callback?: () => void): Promise<void> | void {
    this._ending = true
    if ((!this.connected && !this.connecting) || this._ended) return callback ? callback() : Promise.resolve()
    const close = (): void => environment.closeClient(this._connection, this.active !== null)
    if (this.connected) close()
    else this.once('connect', close)
    if (callback) {
      this.endWaiters.push(callback)
      return
    }
    return new Promise((resolve) => this.endWaiters.push(resolve))
  }

  /** The transaction's state after the last query: `I` idle, `T` in a transaction, `E` in a failed one; null before the first. */
  getTransactionStatus(): string | null {
    return this.status
  }

  setTypeParser(oid: number, format: 'text' | 'binary' | TypeParser, parser?: TypeParser): void {
    this.overrides.setTypeParser(oid, format, parser)
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

  /** Keeps the process alive while the connection is open; the default. */
  ref(): void {
    if (!this.held && this.connected && !this._ended) {
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

/** A NoticeResponse, with pg-protocol's names: an error's fields, `name: 'notice'`. */
function noticeOf(server: NonNullable<WireError['server']>): object {
  const { stack: _stack, ...fields } = { ...databaseError(server) }
  return { ...fields, message: server.message, name: 'notice', length: server.length }
}

/** Bytes of a NotificationResponse: length, process ID, two texts with their terminators. */
function lengthOf(channel: unknown, payload: unknown): number {
  return 4 + 4 + Buffer.byteLength(String(channel)) + 1 + Buffer.byteLength(String(payload)) + 1
}
