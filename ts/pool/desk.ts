/** Who gets a client of a pool, and when: pg-pool's decisions, at pg-pool's moments. */

import { AsyncResource } from 'node:async_hooks'
import { environment, expect, refuse } from '../environment.js'
import { hasNeverRun } from '../errors.js'
import { connectionOf } from '../events.js'
import { guarded, inContext } from '../query.js'
import type { Pool } from './pool.js'
import type { Member, Release } from './member.js'
import type { Roster } from './roster.js'
import { isConnectTimeout, queueTimeout, Waiter } from './waiter.js'

/** How many connections, one after another, may be lost while they are being prepared, before that is the caller's error. */
const MAX_PREPARATIONS = 5
/** How long a client that was given back too early has to end what it runs. */
const LINGER_MILLIS = 1_000

const doubleRelease = 'Release called on client which has already been released to the pool.'

export class Desk {
  readonly queue: Waiter[] = []
  /** Members that callers have. */
  held = 0
  /** Connections being made for one caller each. */
  opening = 0
  /** Given back while a query was running: not Rust's again before that is done. */
  private readonly parked: Member[] = []
  /** Callers in the queue for whom Rust has been asked for a connection. */
  private forwarded = 0

  constructor(
    private readonly pool: Pool,
    private readonly roster: Roster,
  ) {}

  /** Gives `waiter` a client: an idle one in the next tick, a new one, or the first that becomes free. */
  checkOut(waiter: Waiter): void {
    const idle = this.pool.idleCount
    if (idle === 0 && this.pool.totalCount < this.pool.options.max) return this.open(waiter)
    if (idle > 0 || this.pool._running > 0) process.nextTick(() => this.pulse())
    const { connectionTimeoutMillis: bound } = this.pool._likePg ? this.pool.options : this.pool._settings
    if (bound) {
      waiter.bound(bound, () => {
        const position = this.queue.indexOf(waiter)
        if (position >= 0) this.queue.splice(position, 1)
        waiter.giveUp(queueTimeout(this.pool._likePg))
      })
    }
    this.queue.push(waiter)
  }

  /** Serves the first in the queue, if there is a connection for it. */
  pulse(): void {
    this.pool.log('pulse queue')
    if (this.pool.ended) return this.pool.log('pulse queue ended')
    // pg-pool leaves who waits in the queue of an ended pool to its timeout.
    if (this.pool.ending && (this.pool._likePg || this.queue.length === 0)) return this.pool._windDown()
    if (this.queue.length === 0) return this.pool.log('no queued requests')
    const idle = this.pool.idleCount
    const member = idle > 0 || this.pool._running > 0 ? this.takeIdle() : undefined
    if (member) return this.acquire(member, this.queue.shift()!, false)
    if (idle === 0 && this.pool.totalCount < this.pool.options.max) return this.open(this.queue.shift()!)
    if (idle > 0 || this.pool._running > 0) this.forward()
  }

  /** The connection that was given back last, if it can be had at once. */
  private takeIdle(): Member | undefined {
    const parked = this.parked.pop()
    if (parked) return parked
    const connection = environment.takeIdle(this.pool._pool)
    if (connection === 0) return undefined
    const member = this.roster.get(connection)
    // Its introduction is still on the way.
    if (!member) environment.release(connection, false)
    return member
  }

  /** Asks Rust for a connection for everybody in the queue: one that runs queries, or must be asked for a sign of life first. */
  private forward(): void {
    this.pool._announce()
    while (this.forwarded < this.queue.length) {
      this.forwarded++
      const request = expect({
        toError: this.pool._toError,
        event: (event) => this.arrive(connectionOf(event)),
        fail: (error) => {
          this.forwarded--
          this.queue.shift()?.fail(error)
        },
      })
      environment.checkout(this.pool._pool, request)
    }
  }

  /** A connection that was asked for. */
  private arrive(connection: number): void {
    this.forwarded--
    const member = this.roster.get(connection)
    if (!member || !this.roster.members.has(member)) {
      // Its life has ended on the way here: whoever waits gets another.
      environment.release(connection, true)
      return this.pulse()
    }
    const waiter = this.pool.ending && this.pool._likePg ? undefined : this.queue.shift()
    if (waiter) this.acquire(member, waiter, false)
    else if (!environment.release(connection, false)) this.roster.remove(member)
  }

  /** Makes a connection for one caller: the client's `connect()`, which others may have wrapped. */
  private open(waiter: Waiter, tries = 1): void {
    this.opening++
    this.pool.log('checking client timeout')
    if (this.pool._refusal) {
      this.pool.log('connecting new client')
      refuse(expect({ fail: inContext((error) => this.failToOpen(error, waiter)) }), this.pool._refusal)
      return
    }
    const client = this.roster.newClient()
    let member: Member
    client._opener = (done) => {
      const context = new AsyncResource('LakebaseConnection')
      const ask = (): void => {
        const take = (connection: number): void => {
          const adopted = this.roster.adopt(connection, client, context)
          if (adopted) {
            member = adopted
            return done(null)
          }
          // Rust had no room for another, and the one it gave instead has ended its life on the way here.
          environment.release(connection, true)
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
      if (error) return this.failToOpen(error, waiter)
      this.opening--
      // Rust had no room for another, and waited for one that is there.
      if (this.roster.members.has(member)) this.acquire(member, waiter, false)
      else this.greet(member, waiter, tries)
    })
  }

  private failToOpen(error: Error, waiter: Waiter): void {
    this.opening--
    const isLate = isConnectTimeout(error)
    if (isLate) this.pool.log('ending client due to timeout')
    this.pool.log('client failed to connect', isLate ? error.cause : error)
    this.pulse()
    if (!waiter.timedOut) waiter.fail(error)
  }

  /** A new connection for `waiter`. */
  private greet(member: Member, waiter: Waiter, tries: number): void {
    const { onConnect } = this.pool.options
    this.roster.members.add(member)
    member.held = true
    this.held++
    member.startIdling()
    this.pool.log('new client connected')
    if (!onConnect) return this.welcome(member, waiter)
    new this.pool.Promise<unknown>((resolve) => resolve(onConnect(member.client))).then(
      () => this.welcome(member, waiter),
      (error: Error) => {
        this.roster.members.delete(member)
        this.drop(member)
        const { client } = member
        // In a Lakebase pool a connection that ended while it was being prepared is one that could not be made.
        const isLost = client._ended || !client._queryable || hasNeverRun(error)
        const again = isLost && !this.pool._likePg && tries < MAX_PREPARATIONS
        if (again) this.opening++
        this.roster.bury(member, () => {
          if (again) this.opening--
          if (again && !waiter.timedOut && !this.pool.ended) return this.open(waiter, tries + 1)
          this.pulse()
          if (!waiter.timedOut) waiter.fail(error)
        })
      },
    )
  }

  private welcome(member: Member, waiter: Waiter): void {
    this.roster.limit(member)
    this.drop(member)
    this.acquire(member, waiter, true)
  }

  /** A connection has reached the end of its life: an idle one passes through everybody's listeners on its way out, as in pg-pool. */
  expire(member: Member): void {
    this.pool.log('ending client due to expired lifetime')
    if (member.held || !this.roster.members.has(member)) return
    const position = this.parked.indexOf(member)
    if (position >= 0) this.parked.splice(position, 1)
    if (position >= 0 || environment.expire(this.pool._pool, member.connection)) {
      this.acquire(member, new Waiter((_error, _client, release) => release?.()), false)
    } else {
      this.roster.remove(member)
    }
  }

  private drop(member: Member): void {
    member.held = false
    this.held--
  }

  private acquire(member: Member, waiter: Waiter, isNew: boolean): void {
    const { client } = member
    const { verify } = this.pool.options
    member.held = true
    this.held++
    client.ref()
    if (isNew) this.pool.emit('connect', client)
    this.pool.emit('acquire', client)
    this.pool._inspect(client)
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
    this.pool.emit('release', error, client)
    this.pool._inspect(client)
    this.drop(member)
    const over = this.pool.ending && (this.pool._likePg || this.queue.length === 0)
    // Of a Lakebase pool Rust counts the uses, its own among them.
    const isSpent = ++member.uses >= this.pool.options.maxUses && this.pool._likePg
    if (isSpent) this.pool.log('remove expended client')
    if (error || over || !client._queryable || client._ending || client._streaming || isSpent) return this.roster.remove(member)
    if (member.expired) {
      this.pool.log('remove expired client')
      return this.roster.remove(member)
    }
    if (this.pool.options.allowExitOnIdle) client.unref()
    // Nobody else can use it meanwhile; pg-pool gives it to the next caller, who waits for ever.
    if (!this.pool._likePg && client._isOpenEnded) return this.linger(member)
    this.parked.push(member)
    client.whenIdle(() => this.unpark(member))
    if (this.roster.members.has(member)) this.pulse()
  }

  /** Given back with a cursor or a copy that may never end: one that is ending, as after an error, does soon. */
  private linger(member: Member): void {
    const timer = setTimeout(() => this.roster.remove(member), LINGER_MILLIS)
    member.client.whenIdle(() => {
      clearTimeout(timer)
      if (this.roster.members.has(member) && !environment.release(member.connection, false)) this.roster.remove(member)
    })
    this.pulse()
  }

  /** Its last query is done: it is Rust's again, unless somebody has taken it meanwhile. */
  private unpark(member: Member): void {
    const position = this.parked.indexOf(member)
    if (position < 0) return
    this.parked.splice(position, 1)
    if (!environment.release(member.connection, false)) this.roster.remove(member)
  }
}
