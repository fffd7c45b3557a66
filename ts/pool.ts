/** The pool's face: node-postgres' `Pool` over the one in Rust (src/pool), which decides who gets which connection. */

import { EventEmitter } from 'node:events'
import { Client, type ClientOptions } from './client.js'
import { defaults } from './defaults.js'
import { environment, expect, listen, unlisten, type WireEvent } from './environment.js'
import { keepError, restack, toError, type WireError } from './errors.js'
import { encodeOptions, environmentVariables, type PoolOptions } from './options.js'
import { answerPassword } from './password.js'
import { normalize, Query, send, type QueryCallback, type QueryConfig } from './query.js'
import type { Result } from './result.js'
import { types as defaultTypes, type TypeSource } from './types.js'

/** Gives a client back: `release()` for more use, `release(true)` or `release(error)` to close its connection. */
export type Release = (error?: Error | boolean) => void

/** A connection checked out of a pool. */
export interface PoolClient extends Client {
  release: Release
}

type ConnectCallback = (error: Error | undefined, client: PoolClient | undefined, release: Release) => void

/** Hooks that a pool calls itself; the rest of its options is read in Rust. */
interface Hooks {
  onConnect?: (client: PoolClient) => unknown
  verify?: (client: PoolClient, done: (error?: Error) => void) => void
}

/** What Rust made of options and environment: nothing secret. */
interface Settings {
  host: string
  port: number
  user: string
  database: string
  max: number
  min: number
  idleTimeoutMillis: number
  connectionTimeoutMillis: number
  maxUses: number | null
  maxLifetimeSeconds: number
}

const noop = (): void => {}
const doubleRelease = 'Release called on client which has already been released to the pool.'

/**
 * A pool of connections, as node-postgres'. Emits `connect`, `acquire`, `release`, `remove` and `error`.
 *
 * `query()` runs on any connection; when all are busy, a plain read or write shares one (`maxPipeline`).
 */
export class Pool extends EventEmitter implements AsyncDisposable {
  /** The options in force, without secrets. */
  readonly options: PoolOptions & Hooks
  /** `end()` was called. */
  ending = false
  /** `end()` is done. */
  ended = false
  /** @internal The pool's number in Rust. */
  protected readonly _pool: number
  private readonly clients = new Map<number, PoolClient>()
  private readonly types: TypeSource
  private readonly log: (...message: unknown[]) => void

  /** Options, defaults and environment variables are node-postgres'. A string is a `connectionString`. Connects when first used. */
  constructor(options?: string | (PoolOptions & Hooks))
  /** @internal `likePg`: options and defaults are node-postgres', not Lakebase's. */
  constructor(options?: string | (PoolOptions & Hooks), likePg?: boolean)
  constructor(options: string | (PoolOptions & Hooks) = {}, likePg = true) {
    super()
    const given: PoolOptions & Hooks = typeof options === 'string' ? { connectionString: options } : options
    this._pool = listen((event) => this.hear(event))
    const opened = JSON.parse(environment.openPool(this._pool, encodeOptions(given), environmentVariables(), likePg)) as Settings | WireError
    if ('kind' in opened) {
      unlisten(this._pool)
      throw toError(opened)
    }
    // Whoever prepares new connections comes before any query; otherwise Rust need not wait for this thread.
    if (given.onConnect || given.verify) environment.prepareConnections(this._pool)
    this.on('newListener', (event) => {
      if (event === 'connect') environment.prepareConnections(this._pool)
    })
    this.types = given.types ?? defaultTypes
    this.log = given.log ?? noop
    this.options = { ...given, ...opened, maxUses: opened.maxUses ?? Infinity, allowExitOnIdle: Boolean(given.allowExitOnIdle) }
    // Still there for whoever needs them, but neither printed nor serialized.
    for (const secret of ['password', 'connectionString', 'ssl', 'token', 'clientSecret'] as (keyof PoolOptions)[]) {
      if (!(secret in this.options)) continue
      const value = this.options[secret]
      // A getter: even util.inspect's showHidden prints only that there is one.
      Object.defineProperty(this.options, secret, { enumerable: false, configurable: true, get: () => value })
    }
  }

  /** Open connections and those being made. */
  get totalCount(): number {
    return environment.counts(this._pool)[0]
  }

  /** Open connections that nobody uses. */
  get idleCount(): number {
    return environment.counts(this._pool)[1]
  }

  /** Callers in the queue. */
  get waitingCount(): number {
    return environment.counts(this._pool)[2]
  }

  /** Runs a query on any connection. */
  query(config: Query): Query
  query(config: string | QueryConfig, values: readonly unknown[] | undefined, callback: QueryCallback): void
  query(config: string | QueryConfig, callback: QueryCallback): void
  query(config: string | QueryConfig, values?: readonly unknown[]): Promise<Result>
  query(
    config: string | QueryConfig | Query,
    values?: readonly unknown[] | QueryCallback,
    callback?: QueryCallback,
  ): Promise<Result> | Query | void {
    if (typeof config === 'function') return this.refuse(config as QueryCallback)
    const done = typeof values === 'function' ? values : callback
    if (done) return this.run(config, typeof values === 'function' ? undefined : values, done)
    return new Promise<Result>((resolve, reject) => {
      this.run(config, values as readonly unknown[] | undefined, (error, result) =>
        error ? reject(error) : resolve(result as Result),
      )
    }).catch(restack)
  }

  private refuse(callback: QueryCallback): void {
    setImmediate(() => callback(new Error('Passing a function as the first parameter to pool.query is not supported')))
  }

  private run(config: string | QueryConfig | Query, values: readonly unknown[] | undefined, callback: QueryCallback): void {
    if (this.ending) return callback(new Error('Cannot use a pool after calling end on the pool'))
    if (config === null || config === undefined) return callback(new TypeError('Client was passed a null or undefined query'))
    const bound = (typeof config === 'object' && (config as QueryConfig).query_timeout) || this.options.query_timeout
    if (bound || config instanceof Query) return this.runOnClient(config, values, callback)
    const query: QueryConfig = typeof config === 'string' ? { text: config, values } : normalize(config, values)
    const types = query.types ?? this.types
    try {
      send(query, types, defaults.binary, (text, name, params, flags) => {
        const request = expect({
          options: { rowMode: query.rowMode, types },
          respond: (results, connection, _status, error) => {
            this.tellUse(connection, undefined)
            if (error) callback(error as Error)
            else callback(null, results.length > 1 ? results : results[0])
          },
          fail: (error) => {
            if (this.options.log) this.log('query failed', error.message)
            callback(error)
          },
        })
        environment.query(this._pool, request, text, name, params, flags)
      })
    } catch (error) {
      callback(error as Error)
    }
  }

  /** A query with needs of its own: on a client, as node-postgres runs every one. */
  private runOnClient(config: string | QueryConfig | Query, values: readonly unknown[] | undefined, callback: QueryCallback): void {
    this.checkOut((error, client, release) => {
      if (error || !client) return callback(error)
      const done: QueryCallback = (failure, result) => {
        release(failure ?? undefined)
        if (failure) callback(failure)
        else callback(null, result)
      }
      try {
        client.query(config as QueryConfig, values, done)
      } catch (thrown) {
        release(thrown as Error)
        callback(thrown as Error)
      }
    })
  }

  /** The events of a connection that a query has used. */
  private tellUse(connection: number, error: Error | undefined): void {
    if (!this.listenerCount('acquire') && !this.listenerCount('release')) return
    const client = this.clients.get(connection)
    if (!client) return
    this.emit('acquire', client)
    this.emit('release', error, client)
  }

  /** Checks a connection out; give it back with its `release()`. */
  connect(): Promise<PoolClient>
  connect(callback: ConnectCallback): void
  connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    if (callback) return this.checkOut(callback)
    return new Promise<PoolClient>((resolve, reject) => {
      this.checkOut((error, client) => (client ? resolve(client) : reject(error ?? new Error('no client'))))
    }).catch(restack)
  }

  private checkOut(callback: ConnectCallback): void {
    if (this.ending) return callback(new Error('Cannot use a pool after calling end on the pool'), undefined, noop)
    const request = expect({
      event: (event) => {
        const client = this.clients.get(event.connection!)
        if (!client) return callback(new Error('Connection terminated unexpectedly'), undefined, noop)
        this.acquire(client)
        callback(undefined, client, client.release)
      },
      fail: (error) => callback(error, undefined, noop),
    })
    environment.checkout(this._pool, request)
  }

  private acquire(client: PoolClient): void {
    if (this.options.allowExitOnIdle) client.ref()
    let released = false
    client.release = (error) => {
      if (released) throw new Error(doubleRelease)
      released = true
      this.release(client, error)
    }
    this.emit('acquire', client)
  }

  private release(client: PoolClient, error: Error | boolean | undefined): void {
    if (this.options.allowExitOnIdle) client.unref()
    this.emit('release', error, client)
    environment.release(client._connection, Boolean(error) || !client._queryable || client._ending)
  }

  private hear(event: WireEvent): void {
    switch (event.event) {
      case 'connect':
        this.introduce(event)
        break
      case 'password': {
        const { host = '', port = 0, user = '', database = '' } = this.options
        answerPassword(event.question as number, this.options.password, { host, port: Number(port), user, database })
        break
      }
      case 'end':
        this.remove(event)
        break
      default:
        this.clients.get(event.connection!)?.handleEvent(event)
    }
  }

  /** A new connection: goes into service when whoever listens has prepared it. */
  private introduce(event: WireEvent): void {
    const client = new Client(this.options as ClientOptions) as PoolClient
    client.introduce(event)
    client.attach(event.connection!)
    if (this.options.allowExitOnIdle) client.unref()
    client.release = noop
    const { _connection: connection } = client
    this.clients.set(connection, client)
    const settle = (error?: unknown): void => environment.prepared(connection, error ? keepError(error) : null)
    if (event.awaited) this.prepare(client).then(() => client.whenIdle(() => settle()), settle)
  }

  private async prepare(client: PoolClient): Promise<void> {
    const { onConnect, verify } = this.options
    if (onConnect) await onConnect(client)
    this.emit('connect', client)
    if (verify) await new Promise<void>((resolve, reject) => verify(client, (error) => (error ? reject(error) : resolve())))
  }

  private remove(event: WireEvent): void {
    const client = this.clients.get(event.connection!)
    if (!client) return
    this.clients.delete(event.connection!)
    const error = event.error ? toError(event.error as WireError) : undefined
    const checkedOut = client.listenerCount('error') > 0
    if (error && !checkedOut) {
      Object.assign(error, { client })
      this.emitError(error, client)
      client._ending = true
    }
    client.handleEvent(event)
    this.emit('remove', client)
  }

  /** An error without a listener is told, not thrown: a server's restart must not end the process. */
  private emitError(error: Error, client: PoolClient): void {
    if (this.listenerCount('error')) this.emit('error', error, client)
    else console.error('lakebase-native: the pool lost an idle connection and has no "error" listener:', error.message)
  }

  /** Serves who already waits, closes every connection as it becomes free; resolves when all are closed. */
  end(): Promise<void>
  end(callback: (error?: Error) => void): void
  end(callback?: (error?: Error) => void): Promise<void> | void {
    if (callback) return this.close(callback)
    return new Promise<void>((resolve, reject) => this.close((error) => (error ? reject(error) : resolve()))).catch(restack)
  }

  private close(callback: (error?: Error) => void): void {
    if (this.ending) return callback(new Error('Called end on pool more than once'))
    this.ending = true
    const request = expect({
      event: () => {
        this.ended = true
        unlisten(this._pool)
        callback()
      },
      fail: callback,
    })
    environment.endPool(this._pool, request)
  }

  /** `await using pool = …`: ends the pool. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.ending) await this.end()
  }
}
