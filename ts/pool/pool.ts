/** node-postgres' `Pool`: the same calls, events and counters, over connections that Rust owns (src/pool). */

import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { inspect, type InspectOptionsStylized } from 'node:util'
import { Client } from '../client.js'
import { defaults } from '../defaults.js'
import { environment, expect, listen, unlisten } from '../environment.js'
import { hasNeverRun, restack, toError, type WireError } from '../errors.js'
import type { PoolEvent } from '../events.js'
import { brief } from '../inspection.js'
import { GROW } from '../contract.js'
import { encodeOptions, environmentVariables } from '../config/encode.js'
import { answerPassword } from '../config/password.js'
import { ConnectionParameters, setParametersOf } from '../config/connection-parameters.js'
import { answerIdentity, type CheckServerIdentity } from '../config/identity.js'
import { poolSettings } from '../config/resolved.js'
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
import { Desk } from './desk.js'
import type { PoolClient } from './member.js'
import { lakebaseOptions, lakebaseParameters, nowhere, pgOptions, revealed, type GivenOptions, type Settings } from './options.js'
import { Roster } from './roster.js'
import { toPgPoolError, Waiter } from './waiter.js'
import { inContext, isPatched, normalize, type Query, send, type QueryCallback, type QuerySettings } from '../query.js'
import type { Result } from '../result.js'
import { types as defaultTypes, type TypeSource } from '../types.js'

export type { PoolClient, Release } from './member.js'

/** How many connections may turn out to be lost, one after another, before that is a query's error. */
const MAX_TRIES = 20

const noop = (): void => {}
const endedPool = 'Cannot use a pool after calling end on the pool'

/**
 * A pool of connections, as node-postgres'. Emits `connect`, `acquire`, `release`, `remove` and `error`.
 *
 * Who gets a client is decided here, at the moments at which pg-pool decides it. A plain `query()` that nobody watches needs no client: Rust
 * runs it on any connection, and when all are busy, a plain read shares one (`maxPipeline`).
 */
export class Pool extends EventEmitter implements AsyncDisposable {
  /** The options in force; secrets are not enumerable. */
  readonly options: PoolOptions
  /** The class of the clients. */
  readonly Client: typeof Client
  /** The class of the promises. */
  readonly Promise: PromiseConstructor
  readonly log: (...message: unknown[]) => void
  /** `end()` was called. */
  ending = false
  /** `end()` is done. */
  ended = false
  /** @internal The pool's number in Rust. */
  readonly _pool: number

  private readonly roster: Roster
  private readonly desk: Desk
  /** @internal Queries that Rust runs on connections of its choice. */
  _running = 0
  /** Queries of this tick that pg-pool would have in its queue until the next: it had an idle client when they came. */
  private fresh = 0
  /** Connections begun for them. */
  private early = 0
  /** Rust waits for this side to prepare new connections. */
  private prepares = false
  /** The async contexts of the queries for which Rust is to make connections that are prepared here. */
  private readonly growers: AsyncResource[] = []
  private closing = false
  private onEnded: (error?: Error) => void = noop

  /** @internal */
  readonly _settings: Settings = nowhere
  /** @internal Why no connection can be made with these options. */
  readonly _refusal: Error | undefined
  /** @internal */
  readonly _toError: (wire: WireError) => Error
  private readonly types: TypeSource
  /** @internal */
  readonly _likePg: boolean
  /** Something shows which connection runs what. */
  private watched: boolean
  private readonly binary: boolean
  /** The caller's `ssl`, with its functions. */
  private ssl: { checkServerIdentity?: CheckServerIdentity } | undefined

  /** Options, defaults and environment variables are node-postgres'. A string is a `connectionString`. Connects when first used. */
  constructor(options?: string | PoolConfig)
  /** @internal `likePg`: options and defaults are node-postgres', not Lakebase's. */
  constructor(options?: string | PoolConfig | GivenOptions, likePg?: boolean)
  constructor(options: string | PoolConfig | GivenOptions = {}, likePg = true) {
    super()
    const written = (typeof options === 'string' ? { connectionString: options } : (options ?? {})) as GivenOptions
    // What node-postgres' pool does not keep in its options does not count.
    const given = (likePg ? pgOptions(written) : revealed(written)) as GivenOptions
    this._pool = listen((event) => this.hear(event))
    this._likePg = likePg
    this._toError = likePg ? toPgPoolError : toError
    try {
      this._settings = this.open(given)
    } catch (error) {
      unlisten(this._pool)
      // node-postgres finds out when it connects.
      if (!likePg) throw error
      this._refusal = error as Error
    }
    this.options = likePg ? (given as PoolOptions) : lakebaseOptions(given, this._settings)
    if (!likePg) setParametersOf(this.options, () => lakebaseParameters(given, this._settings))
    this.Client = given.Client ?? Client
    this.Promise = given.Promise ?? Promise
    this.log = given.log ?? noop
    for (const name of ['roster', 'desk', 'growers']) Object.defineProperty(this, name, { writable: true, enumerable: false })
    this.roster = new Roster(this, () => this.desk.pulse(), (member) => this.desk.expire(member))
    this.desk = new Desk(this, this.roster)
    this.types = given.types ?? defaultTypes
    this.binary = Boolean((given as { binary?: boolean }).binary)
    this.watched = Boolean(given.verify ?? (likePg ? given.query_timeout : this._settings.query_timeout)) || (likePg && (Boolean(given.log) || this.options.maxUses !== Infinity))
  }

  private open(given: GivenOptions): Settings {
    const parameters = this._likePg ? new ConnectionParameters(given) : undefined
    this.ssl = parameters?.ssl || undefined
    const options = parameters ? poolSettings(parameters, given) : encodeOptions(given)
    const opened = JSON.parse(environment.openPool(this._pool, options, environmentVariables(), this._likePg)) as Settings | WireError
    if ('kind' in opened) throw this._toError(opened)
    return opened
  }

  /** Open connections and those being made. */
  get totalCount(): number {
    // Rust is only asked for connections it makes of its own accord, and not any more when the pool is closing.
    const unheard = this.closing ? 0 : Math.max(0, environment.begunConnections(this._pool) - this.roster.introduced)
    return this.roster.members.size + this.desk.opening + unheard - this.early
  }

  /** Open connections that nobody uses. */
  get idleCount(): number {
    return Math.max(0, this.totalCount - this.busy)
  }

  /** Callers in the queue. */
  get waitingCount(): number {
    return this.desk.queue.length + this.fresh + Math.max(0, this.busy - this.totalCount)
  }

  /** Connections past `maxLifetimeSeconds` that are still in use. */
  get expiredCount(): number {
    return this.roster.expired
  }

  private get busy(): number {
    return this.desk.held + this.desk.opening + this._running - this.fresh
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
    if (!this.mayShare(config, values)) return this.runOnClient(config, values, callback)
    const query: QuerySettings = typeof config === 'string' ? { text: config, values } : normalize(config as QuerySettings, values)
    const types = query.types ?? this.types
    try {
      send(query, types, this.binary || defaults.binary, (text, name, params, flags) => {
        const request = expect({
          options: { rowMode: query.rowMode, types },
          toError: this._toError,
          respond: (results, connection, _status, error) => {
            this._running--
            this.tellUse(connection)
            if (error) this.roster.discard(connection)
            this.answer(callback, error as Error | undefined, results.length > 1 ? results : results[0])
          },
          fail: (error) => {
            this._running--
            this.answer(callback, error)
          },
        })
        environment.query(this._pool, request, text, name, params, this.enter() ? flags | GROW : flags)
      })
    } catch {
      // A value that cannot be sent: node-postgres finds out when it has a client.
      this.runOnClient(config, values, callback)
    }
  }

  /** Answers a query that Rust has run. The next in the queue comes first, as in pg-pool; the pool's own end comes last. */
  private answer(callback: QueryCallback, error: Error | undefined, result?: Result | Result[]): void {
    if (!this.ending && this.desk.queue.length > 0) this.desk.pulse()
    try {
      if (error) callback(error)
      else callback(undefined, result)
    } finally {
      if (this.ending) this.desk.pulse()
    }
  }

  /** Whether nobody can tell on which connection this query runs, or with which others. */
  private mayShare(config: string | QuerySettings | Query, values: readonly unknown[] | undefined): boolean {
    if (this.ending || this.watched || this._refusal || this.desk.queue.length > 0) return false
    if (this._likePg && this.isListenedTo()) return false
    // Whoever prepares the first connection may give it type parsers of its own.
    if (this._likePg && this.roster.members.size === 0 && this.preparesConnections()) return false
    // A subclass, or somebody's instrumentation.
    const { connect, query } = this.Client.prototype
    if (this.connect !== connectOfPool || connect !== connectOfClient || query !== queryOfClient || isPatched()) return false
    if (values !== undefined && !Array.isArray(values)) return false
    if (typeof config === 'object' && config !== null) {
      const { text, values: own, query_timeout: bound } = config as QuerySettings
      if (typeof text !== 'string' || bound || (own && !Array.isArray(own)) || 'submit' in config) return false
    } else if (typeof config !== 'string') {
      return false
    }
    this._announce()
    return true
  }

  private isListenedTo(): boolean {
    return this.listenerCount('acquire') > 0 || this.listenerCount('release') > 0
  }

  /** The events of a connection that a query of a Lakebase pool has used: told afterwards, so that nobody waits for a listener. */
  private tellUse(connection: number): void {
    const member = this.roster.get(connection)
    if (this._likePg || !member || !this.isListenedTo()) return
    this.emit('acquire', member.client)
    this.emit('release', undefined, member.client)
  }

  /** Counts a query that Rust will run. True when pg-pool would make a connection for it. */
  private enter(): boolean {
    const busy = this.desk.held + this.desk.opening + this._running++
    const known = this.roster.members.size + this.desk.opening
    if (this.fresh > 0 || busy < known) {
      if (this.fresh++ === 0) process.nextTick(this.onTick)
    }
    // Rust is only asked what it has begun when that can matter.
    if (busy < known || known >= this.options.max) return false
    const total = this.totalCount + this.early
    const grows = busy >= total && total < this.options.max
    if (grows && this.fresh > 0) this.early++
    if (grows && this.prepares) this.growers.push(new AsyncResource('LakebaseConnection'))
    return grows
  }

  private readonly onTick = (): void => {
    this.fresh = 0
    this.early = 0
  }

  /** @internal Tells Rust, once, that new connections are to be prepared here before they are used. */
  _announce(): void {
    if (!this.prepares && this.preparesConnections()) {
      this.prepares = true
      environment.prepareConnections(this._pool)
    }
  }

  private preparesConnections(): boolean {
    return Boolean(this.options.onConnect) || this.listenerCount('connect') > 0
  }

  /** @internal From now on it matters which connection runs a query. */
  _watch(): void {
    this.watched = true
  }

  /** @internal Somebody has had a client in hand, and may have put a `query` of its own onto it. */
  _inspect(client: PoolClient): void {
    if (Object.hasOwn(client, 'query')) this._watch()
  }

  /** A query with a client of its own, as node-postgres runs every one. */
  private runOnClient(
    config: string | QuerySettings | Query,
    values: readonly unknown[] | undefined,
    callback: QueryCallback,
    tries = 1,
  ): void {
    this.connect((error, client) => {
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
          client.release(this.closedBy(client, failure))
          // As with the queries that Rust runs: what never ran goes to another connection.
          const isOwn = typeof config !== 'object' || !('submit' in config)
          const again = !this._likePg && isOwn && hasNeverRun(failure) && tries < MAX_TRIES && !this.ending
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

  /**
   * The error for which a query's connection is closed. pg-pool closes after every error, a Lakebase pool only in a transaction, or when
   * the server may still be at the query (`query_timeout`).
   */
  private closedBy(client: PoolClient, failure: Error | null | undefined): Error | undefined {
    if (failure && !this._likePg && client._queryable && !client._isBusy && client.getTransactionStatus() === 'I') return undefined
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
    if (callback) return this.desk.checkOut(new Waiter(callback))
    return new this.Promise<PoolClient>((resolve, reject) => {
      this.desk.checkOut(new Waiter((error, client) => (error ? reject(error) : resolve(client!))))
    }).catch(restack)
  }

  private hear(event: PoolEvent): void {
    switch (event.event) {
      case 'connect':
        this.roster.introduce(event, event.own ? undefined : this.growers.shift())
        break
      case 'password': {
        const { host, port, user, database } = this._settings
        answerPassword(event.question, this.options.password, { host, port, user, database })
        break
      }
      case 'identity':
        answerIdentity(event, this.ssl)
        break
      case 'retire':
        this.roster.remove(this.roster.get(event.connection)!)
        break
      case 'end':
        this.roster.mourn(event)
        break
      default: {
        const member = this.roster.get(event.connection)
        member?.inContext(() => member.client.handleEvent(event))
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
      return this.desk.pulse()
    }
    const done = new this.Promise<void>((resolve, reject) => (this.onEnded = (error) => (error ? reject(error) : resolve())))
    this.desk.pulse()
    return done.catch(restack)
  }

  /** @internal The pool is ending and serves nobody new. */
  _windDown(): void {
    this.log('pulse queue on ending')
    this.close()
    if (this._running > 0) return
    for (const member of [...this.roster.members]) if (!member.held) this.roster.remove(member, 'nobody waits')
    // pg-pool is done when no connection counts any more; ours when the last one is closed.
    if (!this._likePg || this.ended || this.roster.members.size + this.desk.opening > 0) return
    this.ended = true
    this.onEnded()
  }

  /** Tells Rust, once, to close what becomes free. */
  private close(): void {
    if (this.closing) return
    this.closing = true
    const finish = (error?: Error): void => {
      unlisten(this._pool)
      if (this._likePg) return
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
