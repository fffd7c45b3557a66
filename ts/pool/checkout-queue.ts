/** Which caller gets a client of a pool, and when: pg-pool's decisions, in the ticks in which pg-pool makes them. */

import { AsyncResource } from 'node:async_hooks'
import { environment, expect, refuse } from '../environment.js'
import { hasNeverRun } from '../errors.js'
import { connectionOf } from '../events.js'
import { native } from '../native.js'
import { guarded, inContext } from '../query.js'
import type { Pool } from './pool.js'
import type { PooledConnection, Release } from './pooled-connection.js'
import type { ConnectionRegistry } from './connection-registry.js'
import { isConnectTimeout } from '../policy.js'
import type { Counters } from './counters.js'
import { PendingCheckout } from './pending-checkout.js'

/** How long a client that was released with an open cursor or copy has to end it. */
const MAX_ENDING_MILLIS = 1_000

const doubleRelease = 'Release called on client which has already been released to the pool.'

export class CheckoutQueue {
  readonly queue: PendingCheckout[] = []
  /** Released while a query was running: released in Rust when that is done. */
  private readonly releasedBusy: PooledConnection[] = []
  /** Callers in the queue for whom Rust has been asked for a connection. */
  private requested = 0

  constructor(
    private readonly pool: Pool,
    private readonly registry: ConnectionRegistry,
    private readonly counters: Counters,
  ) {}

  /** Gives `caller` a client: an idle one in the next tick, a new one, or the first that becomes free. */
  checkOut(caller: PendingCheckout): void {
    const idle = this.counters.idle
    if (idle === 0 && this.counters.total < this.pool.options.max) return this.newClient(caller)
    if (idle > 0 || this.counters.running > 0) process.nextTick(() => this.pulseQueue())
    const { connectionTimeoutMillis: limit } = this.pool.options
    if (limit) {
      caller.startTimeout(limit, () => {
        const position = this.queue.indexOf(caller)
        if (position >= 0) this.queue.splice(position, 1)
        caller.timeOut(this.pool._policy.queueTimeout())
      })
    }
    this.queue.push(caller)
  }

  /** Serves the first in the queue, if there is a connection for it. */
  pulseQueue(): void {
    this.pool.log('pulse queue')
    if (this.pool.ended) return this.pool.log('pulse queue ended')
    if (this.pool.ending && !this.servesQueue) return this.pool._closeIdle()
    if (this.queue.length === 0) return this.pool.log('no queued requests')
    const idle = this.counters.idle
    const connection = idle > 0 || this.counters.running > 0 ? this.takeIdle() : undefined
    if (connection) return this.acquire(connection, this.queue.shift()!, false)
    if (idle === 0 && this.counters.total < this.pool.options.max) return this.newClient(this.queue.shift()!)
    if (idle > 0 || this.counters.running > 0) this.requestConnections()
  }

  /** There may be callers to serve. */
  private get servesQueue(): boolean {
    return !this.pool.ending || (this.pool._policy.servesQueueAtEnd && this.queue.length > 0)
  }

  /** The connection that was released last, if it is available at once. */
  private takeIdle(): PooledConnection | undefined {
    const releasedBusy = this.releasedBusy.pop()
    if (releasedBusy) return releasedBusy
    const id = environment.takeIdle(this.pool._pool)
    if (id === 0) return undefined
    const connection = this.registry.get(id)
    // Its `connect` event has not been read yet.
    if (!connection) environment.release(id, false)
    return connection
  }

  /** Asks Rust for a connection for each caller in the queue: one that runs queries, or has to be pinged first. */
  private requestConnections(): void {
    this.pool._requestPreparation()
    while (this.requested < this.queue.length) {
      this.requested++
      const request = expect({
        toError: this.pool._toError,
        event: (event) => this.onConnection(connectionOf(event)),
        fail: (error) => {
          this.requested--
          this.queue.shift()?.fail(error)
        },
      })
      environment.checkout(this.pool._pool, request)
    }
  }

  /** A connection that was asked for. */
  private onConnection(id: number): void {
    this.requested--
    const connection = this.registry.get(id)
    if (!connection || !this.registry.open.has(connection)) {
      // It was closed before this event was read: the caller gets another.
      environment.release(id, true)
      return this.pulseQueue()
    }
    const caller = this.servesQueue ? this.queue.shift() : undefined
    if (caller) this.acquire(connection, caller, false)
    else if (!environment.release(id, false)) this.registry.remove(connection)
  }

  /** Makes a connection for one caller: the client's `connect()`, which others may have wrapped. */
  private newClient(caller: PendingCheckout, tries = 1): void {
    this.counters.connecting++
    this.pool.log('checking client timeout')
    if (this.pool._refusal) {
      this.pool.log('connecting new client')
      refuse(expect({ fail: inContext((error) => this.failConnect(error, caller)) }), this.pool._refusal)
      return
    }
    const client = this.registry.newClient()
    let connection: PooledConnection
    client._opener = (done) => {
      const context = new AsyncResource('LakebaseConnection')
      const ask = (): void => {
        const take = (id: number): void => {
          const attached = this.registry.attach(id, client, context)
          if (attached) {
            connection = attached
            return done(null)
          }
          // Rust had no room for another, and the one it gave instead was closed before this event was read.
          environment.release(id, true)
          ask()
        }
        const request = expect({
          toError: this.pool._toError,
          event: (event) => context.runInAsyncScope(guarded, undefined, () => take(connectionOf(event))),
          fail: (error) => context.runInAsyncScope(guarded, undefined, () => done(error)),
        })
        environment.openConnection(this.pool._pool, request)
      }
      ask()
    }
    this.pool.log('connecting new client')
    client.connect((error: Error | null | undefined) => {
      if (error) return this.failConnect(error, caller)
      this.counters.connecting--
      // Rust had no room for another, and gave one that was open already.
      if (this.registry.open.has(connection)) this.acquire(connection, caller, false)
      else this.onConnected(connection, caller, tries)
    })
  }

  private failConnect(error: Error, caller: PendingCheckout): void {
    this.counters.connecting--
    const isLate = isConnectTimeout(error)
    if (isLate) this.pool.log('ending client due to timeout')
    this.pool.log('client failed to connect', isLate ? error.cause : error)
    this.pulseQueue()
    if (!caller.timedOut) caller.fail(error)
  }

  /** A new connection for `caller`. */
  private onConnected(connection: PooledConnection, caller: PendingCheckout, tries: number): void {
    const { onConnect } = this.pool.options
    this.registry.open.add(connection)
    connection.held = true
    this.counters.held++
    connection.startIdling()
    this.pool.log('new client connected')
    if (!onConnect) return this.onPrepared(connection, caller)
    new this.pool.Promise<unknown>((resolve) => resolve(onConnect(connection.client))).then(
      () => this.onPrepared(connection, caller),
      (error: Error) => {
        this.registry.open.delete(connection)
        this.endUse(connection)
        const { client } = connection
        // PostgreSQL ends a session with its FATAL error; that it has ended is told later.
        const isFatal = (error as { severity?: string } | undefined)?.severity === 'FATAL'
        const isLost = client._ended || !client._queryable || hasNeverRun(error) || isFatal
        const again = isLost && this.pool._policy.triesOtherConnections && tries < native.MAX_PREPARATIONS
        if (again) this.counters.connecting++
        this.registry.close(connection, () => {
          if (again) this.counters.connecting--
          if (again && !caller.timedOut && !this.pool.ended) return this.newClient(caller, tries + 1)
          this.pulseQueue()
          if (!caller.timedOut) caller.fail(error)
        })
      },
    )
  }

  private onPrepared(connection: PooledConnection, caller: PendingCheckout): void {
    this.registry.startLifetime(connection)
    this.endUse(connection)
    this.acquire(connection, caller, true)
  }

  /** `maxLifetimeSeconds` have passed: an idle connection is acquired and released once more before it is closed, as in pg-pool. */
  expire(connection: PooledConnection): void {
    this.pool.log('ending client due to expired lifetime')
    if (connection.held || !this.registry.open.has(connection)) return
    const position = this.releasedBusy.indexOf(connection)
    if (position >= 0) this.releasedBusy.splice(position, 1)
    if (position >= 0 || environment.expire(this.pool._pool, connection.id)) {
      this.acquire(connection, new PendingCheckout((_error, _client, release) => release?.()), false)
    } else {
      this.registry.remove(connection)
    }
  }

  private endUse(connection: PooledConnection): void {
    connection.held = false
    this.counters.held--
  }

  private acquire(connection: PooledConnection, caller: PendingCheckout, isNew: boolean): void {
    const { client } = connection
    const { verify } = this.pool.options
    connection.held = true
    this.counters.held++
    client.ref()
    if (isNew) this.pool.emit('connect', client)
    this.pool.emit('acquire', client)
    this.pool._checkClient(client)
    client.release = this.releaseOnce(connection)
    connection.stopIdling()
    if (isNew && verify) {
      verify(client, (error) => {
        if (caller.timedOut) return client.release(error)
        if (!error) return caller.serve(client)
        client.release(error)
        caller.fail(error)
      })
    } else if (caller.timedOut) {
      client.release()
    } else {
      caller.serve(client)
    }
  }

  private releaseOnce(connection: PooledConnection): Release {
    let released = false
    return (error) => {
      if (released) throw new Error(doubleRelease)
      released = true
      this.takeBack(connection, error)
    }
  }

  private takeBack(connection: PooledConnection, error: Error | boolean | undefined): void {
    const { client } = connection
    connection.startIdling()
    this.pool.emit('release', error, client)
    this.pool._checkClient(client)
    this.endUse(connection)
    const over = this.pool.ending && !this.servesQueue
    const isSpent = this.pool.options.maxUses !== Infinity && environment.isLastUse(connection.id)
    if (isSpent) this.pool.log('remove expended client')
    if (error || over || !client._queryable || client._ending || client._streaming || isSpent) return this.registry.remove(connection)
    if (connection.expired) {
      this.pool.log('remove expired client')
      return this.registry.remove(connection)
    }
    if (this.pool.options.allowExitOnIdle) client.unref()
    if (this.pool._policy.withholdsOpenCursors && client._isOpenEnded) return this.closeUnlessIdle(connection)
    this.releasedBusy.push(connection)
    client.whenIdle(() => this.returnToRust(connection))
    if (this.registry.open.has(connection)) this.pulseQueue()
  }

  /** A client was released with an open cursor or copy. It is closed unless that ends soon, as it does after an error. */
  private closeUnlessIdle(connection: PooledConnection): void {
    const timer = setTimeout(() => this.registry.remove(connection), MAX_ENDING_MILLIS)
    connection.client.whenIdle(() => {
      clearTimeout(timer)
      if (this.registry.open.has(connection) && !environment.release(connection.id, false)) this.registry.remove(connection)
    })
    this.pulseQueue()
  }

  /** The last query is done: the connection is released in Rust, unless another caller has it meanwhile. */
  private returnToRust(connection: PooledConnection): void {
    const position = this.releasedBusy.indexOf(connection)
    if (position < 0) return
    this.releasedBusy.splice(position, 1)
    if (!environment.release(connection.id, false)) this.registry.remove(connection)
  }
}
