/**
 * A pool for each user, made when it is needed: bounded in number and connections, the least recently used making room, never one that is in
 * use. No connection is ever another user's: a pool belongs to one user and one token.
 */

import { createHash } from 'node:crypto'
import { TimeoutError } from '../errors.js'
import type { TransactionOptions } from '../pool/transaction.js'
import type { Pool, PoolClient } from '../pool/pool.js'
import type { QueryConfig, QueryResult, QueryResultRow } from '../interfaces/query.js'

/** Bounds of the pools of users. */
export interface UserPoolLimits {
  /** Connections at most of one user's pool. Default 3. */
  max?: number
  /** Pools at most. Default 100. */
  maxPools?: number
  /** Connections at most of all of them together. Default 100. */
  maxConnections?: number
  /** Milliseconds after which a pool that is not used is closed. Default 60,000. */
  idleTimeoutMillis?: number
}

/** Who a pool is for: the user's workspace token, or an identity provider's JSON Web Token to exchange for one. */
export type UserIdentity = { user: string; token: string } | { user: string; jwt: string }

/** What can be done as a user. Each call takes the user's pool, which may have been closed and made again in between. */
export interface PoolOfUser {
  query<R extends QueryResultRow = QueryResultRow>(query: string | QueryConfig, values?: unknown[]): Promise<QueryResult<R>>
  connect(): Promise<PoolClient>
  transaction<T>(work: (client: PoolClient) => Promise<T>, options?: TransactionOptions): Promise<T>
}

/** A user's pool, as the pools of users handle it. */
export interface OnePool extends Pool {
  transaction: PoolOfUser['transaction']
  clearTokenCache(): void
}

interface Entry {
  key: string
  pool: OnePool
  /** Calls and checked out clients. */
  uses: number
  usedAt: number
}

export interface UserPoolsOptions extends UserPoolLimits {
  /** How long a call waits for room, in milliseconds; 0: for ever. */
  timeoutMillis: number
  make(identity: UserIdentity, max: number): OnePool
}

const endedPool = 'Cannot use a pool after calling end on the pool'

export class UserPools {
  /** In the order of their last use. */
  private readonly entries = new Map<string, Entry>()
  private readonly closing = new Set<Promise<void>>()
  private readonly waiters = new Set<() => void>()
  private readonly max: number
  private readonly most: number
  private readonly idleMillis: number
  private sweeper: NodeJS.Timeout | undefined
  private ended = false

  constructor(private readonly options: UserPoolsOptions) {
    const { max = 3, maxPools = 100, maxConnections = 100, idleTimeoutMillis = 60_000 } = options
    for (const [name, value] of Object.entries({ max, maxPools, maxConnections, idleTimeoutMillis })) {
      if (!Number.isInteger(value) || value < 1) throw new RangeError(`users.${name} must be a whole number from 1, not ${String(value)}`)
    }
    this.max = Math.min(max, maxConnections)
    this.most = Math.min(maxPools, Math.floor(maxConnections / this.max))
    this.idleMillis = idleTimeoutMillis
  }

  /** How many pools there are. */
  get size(): number {
    return this.entries.size
  }

  of(identity: UserIdentity): PoolOfUser {
    if (this.ended) throw new Error(endedPool)
    return new UserPool(this, identity)
  }

  /** The user's pool, which stays until `leave`. Waits when all that may be are in use. */
  async enter(identity: UserIdentity): Promise<Entry> {
    const key = keyOf(identity)
    const deadline = this.options.timeoutMillis > 0 ? Date.now() + this.options.timeoutMillis : Number.POSITIVE_INFINITY
    for (;;) {
      if (this.ended) throw new Error(endedPool)
      const entry = this.entries.get(key) ?? this.make(key, identity)
      if (entry) {
        entry.uses++
        // Last in the order of use.
        this.entries.delete(key)
        this.entries.set(key, entry)
        return entry
      }
      const idle = [...this.entries.values()].find(({ uses }) => uses === 0)
      if (idle) this.close(idle)
      await this.room(deadline)
    }
  }

  leave(entry: Entry): void {
    entry.uses--
    entry.usedAt = Date.now()
    if (entry.uses > 0) return
    if (this.ended) return this.close(entry)
    this.wake()
    this.sweepLater()
  }

  /** Closes all of them when their queries are done. */
  async end(): Promise<void> {
    this.ended = true
    clearTimeout(this.sweeper)
    this.wake()
    for (const entry of [...this.entries.values()]) if (entry.uses === 0) this.close(entry)
    while (this.entries.size + this.closing.size > 0) await this.room(Number.POSITIVE_INFINITY)
  }

  /** Forgets every token of every user. */
  clearTokenCache(): void {
    for (const { pool } of this.entries.values()) pool.clearTokenCache()
  }

  private make(key: string, identity: UserIdentity): Entry | undefined {
    // A pool that is being closed still has its connections.
    if (this.entries.size + this.closing.size >= this.most) return undefined
    const entry = { key, pool: this.options.make(identity, this.max), uses: 0, usedAt: Date.now() }
    this.entries.set(key, entry)
    return entry
  }

  private close(entry: Entry): void {
    this.entries.delete(entry.key)
    const closed = entry.pool.end().finally(() => {
      this.closing.delete(closed)
      this.wake()
    })
    this.closing.add(closed)
  }

  /** Resolves when something was given back or closed. */
  private room(deadline: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        clearTimeout(timer)
        this.waiters.delete(wake)
        resolve()
      }
      const late = (): void => {
        this.waiters.delete(wake)
        const error = new TimeoutError(`all ${this.most} pools of users are in use (raise users.maxPools or users.maxConnections)`)
        error.code = 'USER_POOLS_BUSY'
        reject(error)
      }
      const timer = deadline === Number.POSITIVE_INFINITY ? undefined : setTimeout(late, Math.max(0, deadline - Date.now()))
      this.waiters.add(wake)
    })
  }

  private wake(): void {
    for (const wake of [...this.waiters]) wake()
  }

  private sweepLater(): void {
    this.sweeper ??= setTimeout(() => this.sweep(), this.idleMillis).unref()
  }

  private sweep(): void {
    this.sweeper = undefined
    const now = Date.now()
    for (const entry of [...this.entries.values()]) if (entry.uses === 0 && now - entry.usedAt >= this.idleMillis) this.close(entry)
    if (this.entries.size > 0 && !this.ended) this.sweepLater()
  }
}

/** The user and a fingerprint of the token: another token is another pool, and no token is kept as a key. */
function keyOf(identity: UserIdentity): string {
  const [kind, secret] = 'token' in identity ? ['token', identity.token] : ['jwt', identity.jwt]
  return JSON.stringify([identity.user, kind, createHash('sha256').update(secret).digest('hex')])
}

/** Query builders know a pool by `Pool` in the name of its class. */
class UserPool implements PoolOfUser {
  readonly #pools: UserPools
  readonly #identity: UserIdentity

  constructor(pools: UserPools, identity: UserIdentity) {
    this.#pools = pools
    this.#identity = identity
  }

  query<R extends QueryResultRow = QueryResultRow>(query: string | QueryConfig, values?: unknown[]): Promise<QueryResult<R>> {
    return this.#use((pool) => pool.query<R>(query as string, values as unknown[]) as Promise<QueryResult<R>>)
  }

  transaction<T>(work: (client: PoolClient) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return this.#use((pool) => pool.transaction(work, options))
  }

  async connect(): Promise<PoolClient> {
    const entry = await this.#pools.enter(this.#identity)
    const { pool } = entry
    try {
      const client = await pool.connect()
      const released = (_: unknown, given: unknown): void => {
        if (given !== client) return
        pool.off('release', released as never)
        this.#pools.leave(entry)
      }
      pool.on('release', released as never)
      return client
    } catch (error) {
      this.#pools.leave(entry)
      throw error
    }
  }

  async #use<T>(work: (pool: OnePool) => Promise<T>): Promise<T> {
    const entry = await this.#pools.enter(this.#identity)
    try {
      return await work(entry.pool)
    } finally {
      this.#pools.leave(entry)
    }
  }
}
