/** node-postgres' `Pool`: the same calls, events and counters, over connections that Rust owns (src/pool). */

import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { inspect, type InspectOptionsStylized } from 'node:util'
import { Client } from '../client.js'
import { defaults } from '../defaults.js'
import { AbortError, CANCEL_MILLIS, signalOf } from '../abort.js'
import { environment, expect, listen, unlisten } from '../environment.js'
import { hasNeverRun, restack, type WireError } from '../errors.js'
import type { PoolEvent } from '../events.js'
import { brief } from '../inspection.js'
import { GROW } from '../contract.js'
import * as instrumentation from '../instrumentation.js'
import { native } from '../native.js'
import { environmentVariables } from '../config/encode.js'
import { answerPassword } from '../config/password.js'
import { answerIdentity, type CheckServerIdentity } from '../config/identity.js'
import type { PoolConfig, PoolListener, PoolOptions } from '../interfaces/pool.js'
import type {
  QueryArrayConfig,
  QueryArrayResult,
  QueryConfig,
  QueryConfigValues,
  QueryResult,
  QueryResultRow,
  Submittable,
} from '../interfaces/query.js'
import { CheckoutQueue } from './checkout-queue.js'
import { Counters } from './counters.js'
import type { PoolClient } from './pooled-connection.js'
import { nowhere, type GivenOptions, type Settings } from './options.js'
import { nodePostgres, type Policy } from '../policy.js'
import { ConnectionRegistry } from './connection-registry.js'
import { PendingCheckout, type ConnectCallback } from './pending-checkout.js'
import { inContext, isPatched, normalize, type Query, send, type QueryCallback, type QuerySettings } from '../query.js'
import type { Result } from '../result.js'
import { types as defaultTypes, type TypeSource } from '../types.js'

export type { PoolClient, Release } from './pooled-connection.js'

const noop = (): void => {}
const endedPool = 'Cannot use a pool after calling end on the pool'

/**
 * A pool of connections, as node-postgres'. Emits `connect`, `acquire`, `release`, `remove` and `error`.
 *
 * Which caller gets a client is decided here, in the ticks in which pg-pool decides it. A plain `query()` needs no client: Rust
 * runs it on any connection, and when all are busy, a plain read shares one (`maxPipeline`).
 */
export class Pool extends EventEmitter implements AsyncDisposable {
  /** The options in force; secrets are not enumerable. */
  readonly options: PoolOptions
  /** The class of the clients. */
  Client: typeof Client
  /** The class of the promises. */
  readonly Promise: PromiseConstructor
  readonly log: (...message: unknown[]) => void
  /** `end()` was called. */
  ending = false
  /** `end()` is done. */
  ended = false
  /** @internal The pool's number in Rust. */
  readonly _pool: number

  private readonly registry: ConnectionRegistry
  private readonly checkouts: CheckoutQueue
  /** @internal */
  readonly _counters: Counters
  /** Rust waits for this side to prepare new connections. */
  private prepares = false
  /** A connection has been prepared: what that does to its clients is known. */
  private prepared = false
  /** The async contexts of the queries for which Rust makes connections that are prepared here. */
  private readonly connectContexts: AsyncResource[] = []
  private onEnded: (error?: Error) => void = noop
  /** Report the ends of Rust's attempts to connect that began with a subscriber. */
  private readonly connects = new Map<number, NonNullable<ReturnType<typeof instrumentation.beginConnect>>>()

  /** @internal */
  readonly _settings: Settings = nowhere
  /** @internal Why no connection can be made with these options. */
  readonly _refusal: Error | undefined
  /** @internal */
  readonly _policy: Policy
  /** @internal */
  readonly _toError: (wire: WireError) => Error
  private readonly types: TypeSource
  /** Callers can tell which connection runs a query: each query then has a client. */
  private usesClients: boolean
  private readonly binary: boolean
  /** The caller's `ssl`, with its functions. */
  private ssl: { checkServerIdentity?: CheckServerIdentity } | undefined

  /** Options, defaults and environment variables are node-postgres'. A string is a `connectionString`. Connects when first used. */
  constructor(options?: string | PoolConfig)
  /** @internal */
  constructor(options?: string | PoolConfig | GivenOptions, policy?: Policy)
  constructor(options: string | PoolConfig | GivenOptions = {}, policy = nodePostgres) {
    super()
    const written = (typeof options === 'string' ? { connectionString: options } : (options ?? {})) as GivenOptions
    const given = policy.accept(written)
    this._pool = listen((event) => this.onEvent(event))
    this._policy = policy
    this._toError = policy.toError
    try {
      this._settings = this.open(given)
    } catch (error) {
      unlisten(this._pool)
      if (policy.throwsConfigurationErrors) throw error
      this._refusal = error as Error
    }
    this.options = policy.options(given, this._settings)
    this.Client = given.Client ?? Client
    this.Promise = given.Promise ?? Promise
    this.log = given.log ?? noop
    for (const name of ['registry', 'checkouts', 'connectContexts', 'connects', '_policy', '_counters']) Object.defineProperty(this, name, { writable: true, enumerable: false })
    this.registry = new ConnectionRegistry(this, () => this.checkouts.pulseQueue(), (connection) => this.checkouts.expire(connection))
    this._counters = new Counters(this._pool, this.registry.open)
    this.checkouts = new CheckoutQueue(this, this.registry, this._counters)
    this.types = given.types ?? defaultTypes
    this.binary = Boolean((given as { binary?: boolean }).binary)
    this.usesClients = Boolean(given.verify ?? policy.queryTimeout(given, this._settings)) || policy.needsClients(this.options)
  }

  private open(given: GivenOptions): Settings {
    const { options, ssl } = this._policy.encode(given)
    this.ssl = ssl
    const opened = JSON.parse(environment.openPool(this._pool, options, environmentVariables(), this._policy.readsAsNodePostgres)) as Settings | WireError
    if ('kind' in opened) throw this._toError(opened)
    return opened
  }

  /** Open connections and those being made. */
  get totalCount(): number {
    return this._counters.total
  }

  /** Open connections that nobody uses. */
  get idleCount(): number {
    return this._counters.idle
  }

  /** Callers in the queue. */
  get waitingCount(): number {
    return this.checkouts.queue.length + this._counters.waitingQueries
  }

  /** Connections past `maxLifetimeSeconds` that are still in use. */
  get expiredCount(): number {
    return this.registry.expired
  }

  /** Runs a query on any connection. */
  query<T extends Submittable>(queryStream: T): T
  query<R extends any[] = any[], I = any[]>(queryConfig: QueryArrayConfig<I>, values?: QueryConfigValues<I>): Promise<QueryArrayResult<R>>
  query<R extends QueryResultRow = any, I = any[]>(queryConfig: QueryConfig<I>): Promise<QueryResult<R>>
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
  query(config: string | QuerySettings | Query, values?: readonly unknown[] | ((...args: any[]) => void), callback?: (...args: any[]) => void): unknown {
    if (typeof config === 'function') {
      const answer = config as QueryCallback
      setImmediate(() => answer(new Error('Passing a function as the first parameter to pool.query is not supported')))
      return
    }
    const given = typeof values === 'function' ? undefined : values
    const done = typeof values === 'function' ? values : callback
    // A pool that is ending answers at once.
    if (done) return this.run(config, given, this.ending ? done : inContext(done))
    return new this.Promise<QueryResult>((resolve, reject) => {
      this.run(config, given, (error, result) => (error ? reject(error) : resolve(result as QueryResult)))
    }).catch(restack)
  }

  private run(config: string | QuerySettings | Query, values: readonly unknown[] | undefined, callback: QueryCallback): void {
    if (!this.canRunInRust(config, values)) return this.runOnClient(config, values, callback)
    const query: QuerySettings = typeof config === 'string' ? { text: config, values } : normalize(config as QuerySettings, values)
    const types = query.types ?? this.types
    let ended: ReturnType<typeof instrumentation.beginQuery>
    try {
      send(query, types, this.binary || defaults.binary, (text, name, params, flags) => {
        const request = expect({
          options: { rowMode: query.rowMode, types },
          toError: this._toError,
          respond: (results, connection, _status, error) => {
            this._counters.running--
            ended?.(instrumentation.resultFacts(results, connection, error))
            this.emitUse(connection)
            if (error) this.registry.closeAfterError(connection)
            this.answer(callback, error as Error | undefined, results.length > 1 ? results : results[0])
          },
          fail: (error) => {
            this._counters.running--
            ended?.(instrumentation.resultFacts(undefined, undefined, error))
            this.answer(callback, error)
          },
        })
        if (instrumentation.isObserved) ended = instrumentation.beginQuery(this._settings, query)
        environment.query(this._pool, request, text, name, params, this.countQuery() ? flags | GROW : flags)
      })
    } catch {
      // A value that cannot be sent: node-postgres finds out when it has a client.
      this.runOnClient(config, values, callback)
    }
  }

  /** Answers a query that Rust has run. The next in the queue comes first, as in pg-pool; the pool's own end comes last. */
  private answer(callback: QueryCallback, error: Error | undefined, result?: Result | Result[]): void {
    if (!this.ending && this.checkouts.queue.length > 0) this.checkouts.pulseQueue()
    try {
      if (error) callback(error)
      else callback(undefined, result)
    } finally {
      if (this.ending) this.checkouts.pulseQueue()
    }
  }

  /** Whether Rust may choose the connection of this query: no caller, listener or subclass can tell. */
  private canRunInRust(config: string | QuerySettings | Query, values: readonly unknown[] | undefined): boolean {
    if (this.ending || this.usesClients || this._refusal || this.checkouts.queue.length > 0) return false
    if (this._policy.emitsUseInTime && this.isListenedTo()) return false
    // Whoever prepares the first connection may give it type parsers of its own.
    if (!this.prepared && this.preparesConnections()) return false
    // A subclass, or methods that instrumentation has replaced.
    const { connect, query } = this.Client.prototype
    if (this.connect !== connectOfPool || connect !== connectOfClient || query !== queryOfClient || isPatched()) return false
    if (values !== undefined && !Array.isArray(values)) return false
    if (typeof config === 'object' && config !== null) {
      const { text, values: own, query_timeout: bound, signal } = config as QuerySettings
      // One that may be cancelled shares its connection with nobody.
      if (typeof text !== 'string' || bound || signal || (own && !Array.isArray(own)) || 'submit' in config) return false
    } else if (typeof config !== 'string') {
      return false
    }
    this._requestPreparation()
    return true
  }

  private isListenedTo(): boolean {
    return this.listenerCount('acquire') > 0 || this.listenerCount('release') > 0
  }

  /** Emits `acquire` and `release` of a query that has run without a client. */
  private emitUse(id: number): void {
    const connection = this.registry.get(id)
    if (this._policy.emitsUseInTime || !connection || !this.isListenedTo()) return
    this.emit('acquire', connection.client)
    this.emit('release', undefined, connection.client)
  }

  /** Counts a query that Rust will run; returns whether pg-pool would make a connection for it. */
  private countQuery(): boolean {
    const grows = this._counters.addQuery(this.options.max)
    if (grows && this.prepares) this.connectContexts.push(new AsyncResource('LakebaseConnection'))
    return grows
  }

  /** @internal Tells Rust, once, that new connections are to be prepared here before they are used. */
  _requestPreparation(): void {
    if (!this.prepares && this.preparesConnections()) {
      this.prepares = true
      environment.prepareConnections(this._pool)
    }
  }

  private preparesConnections(): boolean {
    return Boolean(this.options.onConnect) || this.listenerCount('connect') > 0
  }

  /** @internal From now on every query has a client. */
  _useClients(): void {
    this.usesClients = true
  }

  /** @internal A listener has prepared this client, or had it, and may have replaced its `query`. */
  _checkClient(client: PoolClient): void {
    this.prepared = true
    if (Object.hasOwn(client, 'query')) this._useClients()
  }

  /** Runs a query on a client, as node-postgres runs every query. */
  private runOnClient(
    config: string | QuerySettings | Query,
    values: readonly unknown[] | undefined,
    callback: QueryCallback,
    tries = 1,
  ): void {
    const signal = signalOf(config)
    if (signal?.aborted) return process.nextTick(() => callback(new AbortError(signal)))
    let isWaiting = true
    const abort = (): void => {
      isWaiting = false
      callback(new AbortError(signal!))
    }
    signal?.addEventListener('abort', abort, { once: true })
    this.connect((error, client) => {
      signal?.removeEventListener('abort', abort)
      if (!isWaiting) return client?.release()
      if (error || !client) return callback(error)
      let released = false
      const onError = (lost: Error): void => {
        if (released) return
        released = true
        client.release(lost)
        callback(lost)
      }
      client.once('error', onError)
      this.log('dispatching query')
      try {
        client.query(config as QuerySettings, values, (failure, result) => {
          this.log('query dispatched')
          client.removeListener('error', onError)
          if (released) return
          released = true
          this.giveBack(client, failure)
          const isOwn = typeof config !== 'object' || !('submit' in config)
          const again = this._policy.triesOtherConnections && isOwn && hasNeverRun(failure) && tries < native.MAX_QUERY_TRIES && !this.ending
          if (again) return this.runOnClient(config, values, callback, tries + 1)
          if (failure) callback(failure)
          else callback(undefined, result)
        })
      } catch (thrown) {
        client.release(thrown as Error)
        callback(thrown as Error)
      }
    })
  }

  /** Releases the client of a query that has ended, or was given up: then when the server has cancelled it. */
  private giveBack(client: PoolClient, failure: Error | null | undefined): void {
    if (!failure || !this._policy.cancelsTimedOut || !client._queryable || !client._isBusy) return client.release(this.closedBy(client, failure))
    const release = (error?: Error): void => {
      clearTimeout(late)
      client.removeListener('error', release)
      client.release(error ?? this.closedBy(client, failure))
    }
    const late = setTimeout(() => release(failure), CANCEL_MILLIS)
    client.once('error', release)
    client.whenIdle(() => {
      if (client.listeners('error').includes(release)) release()
    })
  }

  /** The error for which a query's connection is closed. The server may still be running the query after a `query_timeout`. */
  private closedBy(client: PoolClient, failure: Error | null | undefined): Error | undefined {
    if (failure && !this._policy.closesAfterError && client._queryable && !client._isBusy && client.getTransactionStatus() === 'I') return undefined
    // pg-pool's listeners see null when there is no error.
    return failure as Error | undefined
  }

  /** Checks a connection out; give it back with its `release()`. */
  connect(): Promise<PoolClient>
  connect(callback: (err: Error | undefined, client: PoolClient | undefined, done: (release?: any) => void) => void): void
  connect(callback?: (...args: any[]) => void): Promise<PoolClient> | void {
    if (this.ending) {
      const error = new Error(endedPool)
      return callback ? callback(error) : this.Promise.reject(error)
    }
    if (callback) return this.checkouts.checkOut(new PendingCheckout(this.reported(callback)))
    return new this.Promise<PoolClient>((resolve, reject) => {
      this.checkouts.checkOut(new PendingCheckout(this.reported((error, client) => (error ? reject(error) : resolve(client!)))))
    }).catch(restack)
  }

  /** The callback of a checkout; with a subscriber it also reports the end. */
  private reported(callback: ConnectCallback): ConnectCallback {
    const ended = instrumentation.isObserved ? instrumentation.beginCheckout(this._settings) : undefined
    if (!ended) return callback
    return (...args) => {
      ended({ error: args[0] ?? undefined, connection: args[1]?._connection })
      callback(...args)
    }
  }

  private onEvent(event: PoolEvent): void {
    switch (event.event) {
      case 'connect':
        this.registry.onNewConnection(event, event.own ? undefined : this.connectContexts.shift())
        break
      case 'password': {
        const { host, port, user, database } = this._settings
        answerPassword(event.question, this.options.password, { host, port, user, database })
        break
      }
      case 'identity':
        answerIdentity(event, this.ssl)
        break
      case 'connecting': {
        const ended = instrumentation.beginConnect(this._settings)
        if (ended) this.connects.set(event.attempt, ended)
        break
      }
      case 'connectEnded': {
        const error = event.error ? this._toError(event.error) : undefined
        this.connects.get(event.attempt)?.({ connection: event.connection ?? undefined, error })
        this.connects.delete(event.attempt)
        break
      }
      case 'retire':
        this.registry.remove(this.registry.get(event.connection)!)
        break
      case 'end':
        this.registry.onEnd(event)
        break
      default: {
        const connection = this.registry.get(event.connection)
        connection?.inContext(() => connection.client.handleEvent(event))
      }
    }
  }

  /** Closes every connection as it becomes free; resolves when none is left. */
  end(): Promise<void>
  end(callback: (error?: Error) => void): void
  end(callback?: (error?: Error) => void): Promise<void> | void {
    this.log('ending')
    if (this.ending) {
      const error = new Error('Called end on pool more than once')
      return callback ? callback(error) : this.Promise.reject(error)
    }
    this.ending = true
    if (callback) {
      this.onEnded = callback
      return this.checkouts.pulseQueue()
    }
    const done = new this.Promise<void>((resolve, reject) => (this.onEnded = (error) => (error ? reject(error) : resolve())))
    this.checkouts.pulseQueue()
    return done.catch(restack)
  }

  /** @internal The pool is ending: closes what is idle. */
  _closeIdle(): void {
    this.log('pulse queue on ending')
    this.close()
    if (this._counters.running > 0) return
    for (const connection of [...this.registry.open]) if (!connection.held) this.registry.remove(connection, 'nobody waits')
    if (this._policy.endsWhenClosed || this.ended || this.registry.open.size + this._counters.connecting > 0) return
    this.ended = true
    this.onEnded()
  }

  /** Tells Rust, once, to close what becomes free. */
  private close(): void {
    if (this._counters.isClosing) return
    this._counters.isClosing = true
    const finish = (error?: Error): void => {
      unlisten(this._pool)
      if (!this._policy.endsWhenClosed) return
      this.ended = true
      this.onEnded(error)
    }
    environment.endPool(this._pool, expect({ event: () => finish(), fail: finish }))
  }

  /** @internal What `console.log` shows. */
  [inspect.custom](depth: number, options: InspectOptionsStylized): string {
    const { host, port, database, user } = this._settings
    const { totalCount, idleCount, waitingCount, ending } = this
    return brief(this, { host, port, database, user, totalCount, idleCount, waitingCount, max: this.options.max, ending }, depth, options)
  }

  /** `await using pool = …`: ends the pool. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.ending) await this.end()
  }
}

/** Which listener belongs to which event. */
export interface Pool {
  on<E extends 'error' | 'release' | 'connect' | 'acquire' | 'remove'>(event: E, listener: PoolListener<E>): this
}

const connectOfPool = Pool.prototype.connect
const { connect: connectOfClient, query: queryOfClient } = Client.prototype
