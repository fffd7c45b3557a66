/** node-postgres' `Pool`: the same calls, events and counters, over connections that Rust owns (src/pool). */

import { EventEmitter } from 'node:events'
import { Client, type ClientOptions } from './client.js'
import { defaults } from './defaults.js'
import { environment, expect, listen, refuse, unlisten, type WireEvent } from './environment.js'
import { keepError, restack, toError, type WireError } from './errors.js'
import { encodeOptions, environmentVariables, type PoolOptions } from './options.js'
import { answerPassword } from './password.js'
import { Member, type PoolClient, type Release } from './pool-member.js'
import { lakebaseOptions, nowhere, pgOptions, type Hooks, type PoolSettings, type Settings } from './pool-options.js'
import { pgTimeout, queueTimeout, Waiter, type ConnectCallback } from './pool-waiter.js'
import { GROW } from './native.js'
import { normalize, type Query, send, type QueryCallback, type QueryConfig } from './query.js'
import type { Result } from './result.js'
import { types as defaultTypes, type TypeSource } from './types.js'

export type { PoolClient, Release } from './pool-member.js'

const noop = (): void => {}
const endedPool = 'Cannot use a pool after calling end on the pool'
const doubleRelease = 'Release called on client which has already been released to the pool.'

/**
 * A pool of connections, as node-postgres'. Emits `connect`, `acquire`, `release`, `remove` and `error`.
 *
 * Who gets a client is decided here, at the moments at which pg-pool decides it. A plain `query()` that nobody watches needs no client: Rust
 * runs it on any connection, and when all are busy, a plain read or write shares one (`maxPipeline`).
 */
export class Pool extends EventEmitter implements AsyncDisposable {
  /** The options in force; secrets are not enumerable. */
  readonly options: PoolSettings
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
  protected readonly _pool: number

  /** Connections that count: from their making until they are given up. */
  private readonly members = new Set<Member>()
  /** Connections by number, until their end. */
  private readonly connections = new Map<number, Member>()
  private readonly queue: Waiter[] = []
  /** Given back while a query was running: not Rust's again before that is done. */
  private readonly parked: Member[] = []
  /** Members that callers have. */
  private held = 0
  /** Connections being made for one caller each. */
  private opening = 0
  /** Queries that Rust runs on connections of its choice. */
  private running = 0
  /** Queries of this tick that pg-pool would have in its queue until the next: it had an idle client when they came. */
  private fresh = 0
  /** Connections begun for them. */
  private early = 0
  /** Callers in the queue for whom Rust has been asked for a connection. */
  private forwarded = 0
  /** Connections begun by Rust of its own accord that this side has heard of. */
  private introduced = 0
  /** Rust waits for this side to prepare new connections. */
  private prepares = false
  private closing = false
  private onEnded: (error?: Error) => void = noop

  private readonly settings: Settings
  /** Why no connection can be made with these options. */
  private readonly refusal: WireError | undefined
  private readonly types: TypeSource
  private readonly likePg: boolean
  /** Something in the options shows which connection runs what. */
  private readonly watched: boolean

  /** Options, defaults and environment variables are node-postgres'. A string is a `connectionString`. Connects when first used. */
  constructor(options?: string | (PoolOptions & Hooks))
  /** @internal `likePg`: options and defaults are node-postgres', not Lakebase's. */
  constructor(options?: string | (PoolOptions & Hooks), likePg?: boolean)
  constructor(options: string | (PoolOptions & Hooks) = {}, likePg = true) {
    super()
    const given: PoolOptions & Hooks = typeof options === 'string' ? { connectionString: options } : (options ?? {})
    this._pool = listen((event) => this.hear(event))
    const opened = JSON.parse(environment.openPool(this._pool, encodeOptions(given), environmentVariables(), likePg)) as Settings | WireError
    const unusable = 'kind' in opened
    if (unusable) {
      unlisten(this._pool)
      // node-postgres finds out when it connects.
      if (!likePg) throw toError(opened)
    }
    this.refusal = unusable ? opened : undefined
    this.settings = unusable ? nowhere : opened
    this.likePg = likePg
    this.options = likePg ? pgOptions(given) : lakebaseOptions(given, this.settings)
    this.Client = given.Client ?? Client
    this.Promise = given.Promise ?? Promise
    this.log = given.log ?? noop
    this.types = given.types ?? defaultTypes
    this.watched = Boolean(given.verify ?? given.query_timeout) || (likePg && (Boolean(given.log) || this.options.maxUses !== Infinity))
  }

  /** Open connections and those being made. */
  get totalCount(): number {
    // Rust is only asked for connections it makes of its own accord, and not any more when the pool is closing.
    const unheard = this.closing ? 0 : Math.max(0, environment.begunConnections(this._pool) - this.introduced)
    return this.members.size + this.opening + unheard - this.early
  }

  /** Open connections that nobody uses. */
  get idleCount(): number {
    return Math.max(0, this.totalCount - this.busy)
  }

  /** Callers in the queue. */
  get waitingCount(): number {
    return this.queue.length + this.fresh + Math.max(0, this.busy - this.totalCount)
  }

  /** Connections past `maxLifetimeSeconds` that are still in use. */
  get expiredCount(): number {
    let count = 0
    for (const member of this.members) if (member.expired) count++
    return count
  }

  private get busy(): number {
    return this.held + this.opening + this.running - this.fresh
  }

  /** Runs a query on any connection. */
  query(config: Query): Promise<Result>
  query(config: string | QueryConfig, values: readonly unknown[] | undefined, callback: QueryCallback): void
  query(config: string | QueryConfig, callback: QueryCallback): void
  query(config: string | QueryConfig, values?: readonly unknown[]): Promise<Result>
  query(config: string | QueryConfig | Query, values?: readonly unknown[] | QueryCallback, callback?: QueryCallback): Promise<Result> | void {
    if (typeof config === 'function') {
      const answer = config as QueryCallback
      setImmediate(() => answer(new Error('Passing a function as the first parameter to pool.query is not supported')))
      return
    }
    const given = typeof values === 'function' ? undefined : values
    const done = typeof values === 'function' ? values : callback
    if (done) return this.run(config, given, done)
    return new this.Promise<Result>((resolve, reject) => {
      this.run(config, given, (error, result) => (error ? reject(error) : resolve(result as Result)))
    }).catch(restack)
  }

  private run(config: string | QueryConfig | Query, values: readonly unknown[] | undefined, callback: QueryCallback): void {
    if (!this.mayShare(config, values)) return this.runOnClient(config, values, callback)
    const query: QueryConfig = typeof config === 'string' ? { text: config, values } : normalize(config as QueryConfig, values)
    const types = query.types ?? this.types
    try {
      send(query, types, defaults.binary, (text, name, params, flags) => {
        const request = expect({
          options: { rowMode: query.rowMode, types },
          respond: (results, connection, _status, error) => {
            this.running--
            this.tellUse(connection)
            if (error) this.discard(connection)
            if (this.ending || this.queue.length > 0) this.pulse()
            if (error) callback(error as Error)
            else callback(undefined, results.length > 1 ? results : results[0])
          },
          fail: (error) => {
            this.running--
            if (this.ending || this.queue.length > 0) this.pulse()
            callback(this.likePg ? pgTimeout(error) : error)
          },
        })
        environment.query(this._pool, request, text, name, params, this.enter() ? flags | GROW : flags)
      })
    } catch {
      // A value that cannot be sent: node-postgres finds out when it has a client.
      this.runOnClient(config, values, callback)
    }
  }

  /** Whether nobody can tell on which connection this query runs, or with which others. */
  private mayShare(config: string | QueryConfig | Query, values: readonly unknown[] | undefined): boolean {
    if (this.ending || this.watched || this.refusal || this.queue.length > 0) return false
    if (this.likePg && this.isListenedTo()) return false
    // A subclass, or somebody's instrumentation.
    if (this.connect !== connectOfPool || this.Client.prototype.query !== queryOfClient) return false
    if (values !== undefined && !Array.isArray(values)) return false
    if (typeof config === 'object' && config !== null) {
      const { text, values: own, query_timeout: bound } = config as QueryConfig
      if (typeof text !== 'string' || bound || (own && !Array.isArray(own)) || 'submit' in config) return false
    } else if (typeof config !== 'string') {
      return false
    }
    this.announce()
    return true
  }

  private isListenedTo(): boolean {
    return this.listenerCount('acquire') > 0 || this.listenerCount('release') > 0
  }

  /** The events of a connection that a query of a Lakebase pool has used: told afterwards, so that nobody waits for a listener. */
  private tellUse(connection: number): void {
    const member = this.connections.get(connection)
    if (this.likePg || !member || !this.isListenedTo()) return
    this.emit('acquire', member.client)
    this.emit('release', undefined, member.client)
  }

  /** Counts a query that Rust will run. True when pg-pool would make a connection for it. */
  private enter(): boolean {
    const busy = this.held + this.opening + this.running++
    const known = this.members.size + this.opening
    if (this.fresh > 0 || busy < known) {
      if (this.fresh++ === 0) process.nextTick(this.onTick)
    }
    // Rust is only asked what it has begun when that can matter.
    if (busy < known || known >= this.options.max) return false
    const total = this.totalCount + this.early
    const grows = busy >= total && total < this.options.max
    if (grows && this.fresh > 0) this.early++
    return grows
  }

  private readonly onTick = (): void => {
    this.fresh = 0
    this.early = 0
  }

  /** Tells Rust, once, that new connections are to be prepared here before they are used. */
  private announce(): void {
    if (!this.prepares && (this.options.onConnect || this.listenerCount('connect') > 0)) {
      this.prepares = true
      environment.prepareConnections(this._pool)
    }
  }

  /** A query with a client of its own, as node-postgres runs every one. */
  private runOnClient(config: string | QueryConfig | Query, values: readonly unknown[] | undefined, callback: QueryCallback): void {
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
        client.query(config as QueryConfig, values, (failure, result) => {
          this.log('query dispatched')
          client.removeListener('error', onError)
          if (released) return
          released = true
          client.release(this.closedBy(client, failure))
          if (failure) callback(failure)
          else callback(undefined, result)
        })
      } catch (thrown) {
        client.release(thrown as Error)
        callback(thrown as Error)
      }
    })
  }

  /** The error for which a query's connection is closed. pg-pool closes after every error, a Lakebase pool only in a transaction. */
  private closedBy(client: PoolClient, failure: Error | null | undefined): Error | undefined {
    if (failure && !this.likePg && client._queryable && client.getTransactionStatus() === 'I') return undefined
    // pg-pool's listeners see null when there is no error.
    return failure as Error | undefined
  }

  /** Checks a connection out; give it back with its `release()`. */
  connect(): Promise<PoolClient>
  connect(callback: ConnectCallback): void
  connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    if (this.ending) {
      const error = new Error(endedPool)
      return callback ? callback(error) : this.Promise.reject(error)
    }
    if (callback) return this.checkOut(new Waiter(callback))
    return new this.Promise<PoolClient>((resolve, reject) => {
      this.checkOut(new Waiter((error, client) => (error ? reject(error) : resolve(client!))))
    }).catch(restack)
  }

  private checkOut(waiter: Waiter): void {
    const idle = this.idleCount
    if (idle === 0 && this.totalCount < this.options.max) return this.open(waiter)
    if (idle > 0 || this.running > 0) process.nextTick(() => this.pulse())
    const { connectionTimeoutMillis: bound } = this.likePg ? this.options : this.settings
    if (bound) {
      waiter.bound(bound, () => {
        const position = this.queue.indexOf(waiter)
        if (position >= 0) this.queue.splice(position, 1)
        waiter.giveUp(queueTimeout(this.likePg))
      })
    }
    this.queue.push(waiter)
  }

  /** Serves the first in the queue, if there is a connection for it. */
  private pulse(): void {
    this.log('pulse queue')
    if (this.ended) return this.log('pulse queue ended')
    // pg-pool leaves who waits in the queue of an ended pool to its timeout.
    if (this.ending && (this.likePg || this.queue.length === 0)) return this.windDown()
    if (this.queue.length === 0) return this.log('no queued requests')
    const idle = this.idleCount
    const member = idle > 0 || this.running > 0 ? this.takeIdle() : undefined
    if (member) return this.acquire(member, this.queue.shift()!, false)
    if (idle === 0 && this.totalCount < this.options.max) return this.open(this.queue.shift()!)
    if (idle > 0 || this.running > 0) this.forward()
  }

  /** The connection that was given back last, if it can be had at once. */
  private takeIdle(): Member | undefined {
    const parked = this.parked.pop()
    if (parked) return parked
    const connection = environment.takeIdle(this._pool)
    if (connection === 0) return undefined
    const member = this.connections.get(connection)
    // Its introduction is still on the way.
    if (!member) environment.release(connection, false)
    return member
  }

  /** Asks Rust for a connection for everybody in the queue: one that runs queries, or must be asked for a sign of life first. */
  private forward(): void {
    this.announce()
    while (this.forwarded < this.queue.length) {
      this.forwarded++
      const request = expect({
        event: (event) => this.arrive(this.connections.get(event.connection!)!),
        fail: (error) => {
          this.forwarded--
          this.queue.shift()?.fail(this.likePg ? pgTimeout(error) : error)
        },
      })
      environment.checkout(this._pool, request)
    }
  }

  /** A connection that was asked for. */
  private arrive(member: Member): void {
    this.forwarded--
    const waiter = this.ending && this.likePg ? undefined : this.queue.shift()
    if (waiter) this.acquire(member, waiter, false)
    else if (!environment.release(member.connection, false)) this.remove(member)
  }

  /** Makes a connection for one caller. */
  private open(waiter: Waiter): void {
    this.opening++
    this.log('checking client timeout')
    const request = expect({
      event: (event) => {
        this.opening--
        const member = this.connections.get(event.connection!)!
        // Rust had no room for another, and waited for one that is there.
        if (this.members.has(member)) this.acquire(member, waiter, false)
        else this.greet(member, waiter)
      },
      fail: (error) => {
        this.opening--
        this.log('client failed to connect', error)
        this.pulse()
        if (!waiter.timedOut) waiter.fail(this.likePg ? pgTimeout(error) : error)
      },
    })
    this.log('connecting new client')
    if (this.refusal) refuse(request, toError(this.refusal))
    else environment.openConnection(this._pool, request)
  }

  /** A new connection for `waiter`. */
  private greet(member: Member, waiter: Waiter): void {
    const { onConnect } = this.options
    this.members.add(member)
    member.held = true
    this.held++
    member.startIdling()
    this.log('new client connected')
    if (!onConnect) return this.welcome(member, waiter)
    new this.Promise<unknown>((resolve) => resolve(onConnect(member.client))).then(
      () => this.welcome(member, waiter),
      (error: Error) => {
        this.members.delete(member)
        this.drop(member)
        this.bury(member, () => {
          this.pulse()
          if (!waiter.timedOut) waiter.fail(error)
        })
      },
    )
  }

  private welcome(member: Member, waiter: Waiter): void {
    this.limit(member)
    this.drop(member)
    this.acquire(member, waiter, true)
  }

  private limit(member: Member): void {
    const { maxLifetimeSeconds: seconds } = this.options
    if (!seconds) return
    // In our own pools up to a tenth shorter, at random, so that connections do not all end together.
    const millis = seconds * 1000 * (this.likePg ? 1 : 1 - Math.random() / 10)
    member.live(millis, () => this.expire(member))
  }

  private expire(member: Member): void {
    this.log('ending client due to expired lifetime')
    if (member.held || !this.members.has(member)) return
    const position = this.parked.indexOf(member)
    if (position >= 0) this.parked.splice(position, 1)
    if (position >= 0 || environment.expire(this._pool, member.connection)) {
      this.acquire(member, new Waiter((_error, _client, release) => release?.()), false)
    } else {
      this.remove(member)
    }
  }

  private drop(member: Member): void {
    member.held = false
    this.held--
  }

  private acquire(member: Member, waiter: Waiter, isNew: boolean): void {
    const { client } = member
    const { verify } = this.options
    member.held = true
    this.held++
    client.ref()
    if (isNew) this.emit('connect', client)
    this.emit('acquire', client)
    client.release = this.releaseOnce(member)
    member.stopIdling()
    if (isNew && verify) {
      verify(client, (error) => {
        if (waiter.timedOut) return client.release(error)
        if (!error) return waiter.serve(client)
        client.release(error)
        waiter.fail(error)
      })
    } else if (waiter.timedOut) {
      client.release()
    } else {
      waiter.serve(client)
    }
  }

  private releaseOnce(member: Member): Release {
    let released = false
    return (error) => {
      if (released) throw new Error(doubleRelease)
      released = true
      this.giveBack(member, error)
    }
  }

  private giveBack(member: Member, error: Error | boolean | undefined): void {
    const { client } = member
    member.startIdling()
    this.emit('release', error, client)
    this.drop(member)
    if (member.expired) this.log('remove expired client')
    const over = this.ending && (this.likePg || this.queue.length === 0)
    if (error || over || !client._queryable || client._ending || member.expired) {
      return this.remove(member)
    }
    if (this.options.allowExitOnIdle) client.unref()
    this.parked.push(member)
    client.whenIdle(() => this.unpark(member))
    if (this.members.has(member)) this.pulse()
  }

  /** Its last query is done: it is Rust's again, unless somebody has taken it meanwhile. */
  private unpark(member: Member): void {
    const position = this.parked.indexOf(member)
    if (position < 0) return
    this.parked.splice(position, 1)
    if (!environment.release(member.connection, false)) this.remove(member)
  }

  /** Gives a connection up; there is room for a waiter when it has ended. */
  private remove(member: Member, waiters: 'serve waiters' | 'nobody waits' = 'serve waiters'): void {
    if (!this.members.delete(member)) return
    this.bury(member, () => {
      this.emit('remove', member.client)
      if (waiters === 'serve waiters') this.pulse()
    })
  }

  /** Closes a connection that no longer counts; `farewell` is called when it has ended. */
  private bury(member: Member, farewell: () => void): void {
    const { client, connection } = member
    client._ending = true
    if (!this.connections.has(connection)) return farewell()
    member.farewell = farewell
    environment.release(connection, true)
  }

  /** A connection whose answer could not be used, as after any failed query of `query()`. */
  private discard(connection: number): void {
    const member = this.connections.get(connection)
    if (!this.likePg || !member) return
    environment.expire(this._pool, connection)
    this.remove(member)
  }

  private hear(event: WireEvent): void {
    switch (event.event) {
      case 'connect':
        this.introduce(event)
        break
      case 'password': {
        const { host, port, user, database } = this.settings
        answerPassword(event.question as number, this.options.password, { host, port, user, database })
        break
      }
      case 'retire':
        this.remove(this.connections.get(event.connection!)!)
        break
      case 'end':
        this.mourn(event)
        break
      default:
        this.connections.get(event.connection!)?.client.handleEvent(event)
    }
  }

  /** A new connection. One that Rust began of its own accord goes into service when whoever listens has prepared it. */
  private introduce(event: WireEvent): void {
    const client = new this.Client(this.options as ClientOptions) as PoolClient
    const { host, port, user, database } = this.settings
    Object.assign(client, { host, port, user, database, release: noop })
    client.introduce(event)
    client.attach(event.connection!)
    const member = new Member(client, (idle, error) => this.lose(idle, error))
    this.connections.set(member.connection, member)
    if (event.own) return
    this.introduced++
    this.members.add(member)
    member.startIdling()
    this.limit(member)
    if (this.options.allowExitOnIdle) client.unref()
    if (!event.awaited) {
      this.emit('connect', client)
      return
    }
    member.preparing = true
    const settle = (error: string | null): void => {
      if (!member.preparing) return
      member.preparing = false
      if (error !== null) {
        this.introduced--
        this.members.delete(member)
        client._ending = true
        member.farewell = noop
      }
      environment.prepared(member.connection, error)
    }
    this.prepare(client).then(
      () => client.whenIdle(() => settle(null)),
      (error: unknown) => settle(keepError(error)),
    )
  }

  private async prepare(client: PoolClient): Promise<void> {
    await this.options.onConnect?.(client)
    this.emit('connect', client)
  }

  /** An error of a connection that nobody uses. */
  private lose(member: Member, error: Error): void {
    const { client } = member
    Object.assign(error, { client })
    this.remove(member, this.likePg ? 'nobody waits' : 'serve waiters')
    // An error without a listener ends a process that uses pg; of a Lakebase pool it is told, not thrown.
    if (this.likePg || this.listenerCount('error') > 0) this.emit('error', error, client)
    else console.error('lakebase-native: the pool lost an idle connection and has no "error" listener:', error.message)
  }

  /** A connection has ended. */
  private mourn(event: WireEvent): void {
    const member = this.connections.get(event.connection!)
    if (!member) return
    member.die()
    if (member.preparing) {
      member.preparing = false
      this.introduced--
    }
    try {
      member.client.handleEvent(event)
    } finally {
      this.connections.delete(member.connection)
      if (member.farewell) member.farewell()
      // Whoever holds it gives it back, and it is removed then.
      else if (!member.held) this.remove(member)
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
      return this.pulse()
    }
    const done = new this.Promise<void>((resolve, reject) => (this.onEnded = (error) => (error ? reject(error) : resolve())))
    this.pulse()
    return done.catch(restack)
  }

  /** The pool is ending and serves nobody new. */
  private windDown(): void {
    this.log('pulse queue on ending')
    this.close()
    if (this.running > 0) return
    for (const member of [...this.members]) if (!member.held) this.remove(member, 'nobody waits')
    if (this.ended || this.members.size + this.opening > 0) return
    this.ended = true
    if (this.likePg) this.onEnded()
  }

  /** Tells Rust, once, to close what becomes free. */
  private close(): void {
    if (this.closing) return
    this.closing = true
    const finish = (error?: Error): void => {
      unlisten(this._pool)
      // pg-pool is done when no connection counts any more; ours when the last one is closed.
      if (this.likePg) return
      this.ended = true
      this.onEnded(error)
    }
    environment.endPool(this._pool, expect({ event: () => finish(), fail: finish }))
  }

  /** `await using pool = …`: ends the pool. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.ending) await this.end()
  }
}

const connectOfPool = Pool.prototype.connect
const queryOfClient = Client.prototype.query
