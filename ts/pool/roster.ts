/** The connections of a pool: which count, whose events are whose, and how each one ends. */

import type { AsyncResource } from 'node:async_hooks'
import { environment } from '../environment.js'
import { keepError } from '../errors.js'
import type { ConnectEvent, EndEvent } from '../events.js'
import type { Pool } from './pool.js'
import { Member, type PoolClient } from './member.js'

const noop = (): void => {}

export class Roster {
  /** Connections that count: until they are given up. */
  readonly members = new Set<Member>()
  /** Connections that Rust began of its own accord and this side has heard of. */
  introduced = 0
  /** Connections by number, until their end. */
  private readonly connections = new Map<number, Member>()
  /** Introductions of connections that were made for one caller each, who has yet to take them. */
  private readonly coming = new Map<number, ConnectEvent>()

  /** `onRoom`: a connection has ended, and another may take its place. `onExpiry`: one has reached `maxLifetimeSeconds`. */
  constructor(
    private readonly pool: Pool,
    private readonly onRoom: () => void,
    private readonly onExpiry: (member: Member) => void,
  ) {}

  get(connection: number): Member | undefined {
    return this.connections.get(connection) ?? (this.coming.has(connection) ? this.adopt(connection, this.newClient()) : undefined)
  }

  /** A client that has yet to get its connection. */
  newClient(): PoolClient {
    const client = new this.pool.Client(this.pool.options) as PoolClient
    Object.defineProperty(client, '_onTypeParser', { value: () => this.pool._watch() })
    return client
  }

  /** The member of a connection that was made for `client`; of one that was there, without it; undefined if that has been given up. */
  adopt(connection: number, client: PoolClient, context?: AsyncResource): Member | undefined {
    const event = this.coming.get(connection)
    if (!event) {
      const member = this.connections.get(connection)
      return member && this.members.has(member) ? member : undefined
    }
    this.coming.delete(connection)
    return this.enroll(event, client, context)
  }

  /** Members past `maxLifetimeSeconds`. */
  get expired(): number {
    let count = 0
    for (const member of this.members) if (member.expired) count++
    return count
  }

  /** Starts the clock of a connection's life. */
  limit(member: Member): void {
    const { maxLifetimeSeconds: seconds } = this.pool.options
    if (!seconds) return
    // In our own pools up to a tenth shorter, at random, so that connections do not all end together.
    const millis = seconds * 1000 * (this.pool._likePg ? 1 : 1 - Math.random() / 10)
    member.live(millis, () => this.onExpiry(member))
  }

  /** Gives a connection up; there is room for a waiter when it has ended. */
  remove(member: Member, waiters: 'serve waiters' | 'nobody waits' = 'serve waiters'): void {
    if (!this.members.delete(member)) return
    this.bury(member, () => {
      this.pool.emit('remove', member.client)
      if (waiters === 'serve waiters') this.onRoom()
    })
  }

  /** Closes a connection that no longer counts; `farewell` is called when it has ended. */
  bury(member: Member, farewell: () => void): void {
    const { client, connection } = member
    client._ending = true
    if (client._ended) return farewell()
    client._onEnd(farewell)
    environment.release(connection, true)
  }

  /** A connection whose answer could not be used, as after any failed query of `query()`. */
  discard(connection: number): void {
    const member = this.connections.get(connection)
    if (!this.pool._likePg || !member) return
    environment.expire(this.pool._pool, connection)
    this.remove(member)
  }

  /** A new connection, begun in this context. One that Rust began of its own accord goes into service when whoever listens has prepared it. */
  introduce(event: ConnectEvent, context?: AsyncResource): void {
    if (event.own) {
      this.coming.set(event.connection, event)
      return
    }
    const member = this.enroll(event, this.newClient(), context)
    member.inContext(() => this.putInService(member, event))
  }

  private putInService(member: Member, event: ConnectEvent): void {
    const { client } = member
    if (this.pool.ended) {
      // Begun for a query that another connection has answered meanwhile. Rust closes it; it no longer counts.
      client._ending = true
      if (event.awaited) environment.prepared(member.connection, keepError(new Error('the pool has ended')))
      return
    }
    this.introduced++
    this.members.add(member)
    member.startIdling()
    this.limit(member)
    if (this.pool.options.allowExitOnIdle) client.unref()
    if (!event.awaited) {
      this.pool.emit('connect', client)
      this.pool._inspect(client)
      return
    }
    member.preparing = true
    const settle = (error: number | null): void => {
      if (!member.preparing) return
      member.preparing = false
      if (error !== null) {
        this.introduced--
        this.members.delete(member)
        client._ending = true
      }
      environment.prepared(member.connection, error)
    }
    this.prepare(client).then(
      () => client.whenIdle(() => settle(null)),
      (error: unknown) => settle(keepError(error)),
    )
  }

  private enroll(event: ConnectEvent, client: PoolClient, context: AsyncResource | undefined): Member {
    const { host, port, user, database } = this.pool._settings
    Object.assign(client, { host, port, user, database, release: noop })
    client.introduce(event, this.pool._likePg ? undefined : this.pool._toError)
    client.attach(event.connection)
    const member = new Member(client, (idle, error) => this.lose(idle, error), context)
    this.connections.set(member.connection, member)
    return member
  }

  private async prepare(client: PoolClient): Promise<void> {
    await this.pool.options.onConnect?.(client)
    this.pool.emit('connect', client)
    this.pool._inspect(client)
  }

  /** An error of a connection that nobody uses. */
  private lose(member: Member, error: Error): void {
    const { client } = member
    Object.assign(error, { client })
    client.on('error', () => this.pool.log('additional client error after disconnection due to error', error))
    this.remove(member, this.pool._likePg ? 'nobody waits' : 'serve waiters')
    // An error without a listener ends a process that uses pg; of a Lakebase pool it is told, not thrown.
    if (this.pool._likePg || this.pool.listenerCount('error') > 0) this.pool.emit('error', error, client)
    else console.error('lakebase-native: the pool lost an idle connection and has no "error" listener:', error.message)
  }

  /** A connection has ended. */
  mourn(event: EndEvent): void {
    const member = this.get(event.connection)
    if (!member) return
    member.die()
    if (member.preparing) {
      member.preparing = false
      this.introduced--
    }
    const told = (): void => {
      this.connections.delete(member.connection)
      // Whoever holds it gives it back, and it is removed then.
      if (member.held || !this.members.has(member)) return
      if (!event.error) this.pool.log('remove idle client')
      this.remove(member)
    }
    member.inContext(() => member.client.handleEnd(event.error, told))
  }
}
