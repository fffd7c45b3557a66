/** The connections of a pool: which ones count, which client gets which event, and how each one ends. */

import type { AsyncResource } from 'node:async_hooks'
import { environment } from '../environment.js'
import { keepError } from '../errors.js'
import type { ConnectEvent, EndEvent } from '../events.js'
import type { Pool } from './pool.js'
import { PooledConnection, type PoolClient } from './pooled-connection.js'

const noop = (): void => {}

export class ConnectionRegistry {
  /** Connections that count: until they are removed. */
  readonly open = new Set<PooledConnection>()
  /** Connections by number, until their end. */
  private readonly connections = new Map<number, PooledConnection>()
  /** `connect` events of connections made for one caller each, who has not been given them yet. */
  private readonly unattached = new Map<number, ConnectEvent>()

  /** `onRoom`: a connection has ended, and another may take its place. `onExpiry`: one has reached `maxLifetimeSeconds`. */
  constructor(
    private readonly pool: Pool,
    private readonly onRoom: () => void,
    private readonly onExpiry: (connection: PooledConnection) => void,
  ) {}

  get(id: number): PooledConnection | undefined {
    return this.connections.get(id) ?? (this.unattached.has(id) ? this.attach(id, this.newClient()) : undefined)
  }

  /** A client that has yet to get its connection. */
  newClient(): PoolClient {
    const client = new this.pool.Client(this.pool.options) as PoolClient
    Object.defineProperty(client, '_onTypeParser', { value: () => this.pool._useClients() })
    return client
  }

  /** Gives a connection that was made for a caller its client. One that was open already keeps its own; undefined if it no longer counts. */
  attach(id: number, client: PoolClient, context?: AsyncResource): PooledConnection | undefined {
    const event = this.unattached.get(id)
    if (!event) {
      const connection = this.connections.get(id)
      return connection && this.open.has(connection) ? connection : undefined
    }
    this.unattached.delete(id)
    return this.register(event, client, context)
  }

  /** Connections past `maxLifetimeSeconds`. */
  get expired(): number {
    let count = 0
    for (const connection of this.open) if (connection.expired) count++
    return count
  }

  /** Starts the timer of `maxLifetimeSeconds`. */
  startLifetime(connection: PooledConnection): void {
    const { maxLifetimeSeconds: seconds } = this.pool.options
    if (!seconds) return
    const millis = seconds * 1000 * (1 - Math.random() * this.pool._policy.lifetimeJitter)
    connection.startLifetime(millis, () => this.onExpiry(connection))
  }

  /** Removes a connection from the pool; when it has ended, the queue is served unless `nobody waits`. */
  remove(connection: PooledConnection, waiters: 'serve waiters' | 'nobody waits' = 'serve waiters'): void {
    if (!this.open.delete(connection)) return
    this.close(connection, () => {
      this.pool.emit('remove', connection.client)
      if (waiters === 'serve waiters') this.onRoom()
    })
  }

  /** Closes a connection that no longer counts; `onClosed` is called when it has ended. */
  close(connection: PooledConnection, onClosed: () => void): void {
    const { client } = connection
    client._ending = true
    if (client._ended) return onClosed()
    client._onEnd(onClosed)
    environment.release(connection.id, true)
  }

  /** Removes a connection whose answer could not be read: pg-pool does so after any failed query of `query()`. */
  closeAfterError(id: number): void {
    const connection = this.connections.get(id)
    if (!this.pool._policy.closesAfterError || !connection) return
    environment.expire(this.pool._pool, id)
    this.remove(connection)
  }

  /** A new connection, begun in this context. One that Rust made for its own queries is used when the listeners have prepared it. */
  onNewConnection(event: ConnectEvent, context?: AsyncResource): void {
    if (event.own) {
      this.unattached.set(event.connection, event)
      return
    }
    const connection = this.register(event, this.newClient(), context)
    connection.inContext(() => this.addToPool(connection, event))
  }

  private addToPool(connection: PooledConnection, event: ConnectEvent): void {
    const { client } = connection
    if (this.pool.ended) {
      // Made for a query that another connection has answered meanwhile. Rust closes it; it no longer counts.
      client._ending = true
      if (event.awaited) environment.prepared(connection.id, keepError(new Error('the pool has ended')))
      return
    }
    this.pool._counters.introduced++
    this.open.add(connection)
    connection.startIdling()
    this.startLifetime(connection)
    if (this.pool.options.allowExitOnIdle) client.unref()
    if (!event.awaited) {
      this.pool.emit('connect', client)
      this.pool._checkClient(client)
      return
    }
    connection.preparing = true
    const settle = (error: number | null): void => {
      if (!connection.preparing) return
      connection.preparing = false
      if (error === null) this.pool._checkClient(client)
      else {
        this.pool._counters.introduced--
        this.open.delete(connection)
        client._ending = true
      }
      environment.prepared(connection.id, error)
    }
    this.prepare(client).then(
      () => client.whenIdle(() => settle(null)),
      (error: unknown) => settle(keepError(error)),
    )
  }

  private register(event: ConnectEvent, client: PoolClient, context: AsyncResource | undefined): PooledConnection {
    const { host, port, user, database } = this.pool._settings
    Object.assign(client, { host, port, user, database, release: noop })
    client._policy = this.pool._policy
    client.introduce(event)
    client.attach(event.connection)
    const connection = new PooledConnection(client, (idle, error) => this.onIdleError(idle, error), context)
    this.connections.set(connection.id, connection)
    return connection
  }

  private async prepare(client: PoolClient): Promise<void> {
    await this.pool.options.onConnect?.(client)
    this.pool.emit('connect', client)
  }

  /** An error of a connection that nobody uses. */
  private onIdleError(connection: PooledConnection, error: Error): void {
    const { client } = connection
    Object.assign(error, { client })
    client.on('error', () => this.pool.log('additional client error after disconnection due to error', error))
    this.remove(connection, this.pool._policy.servesQueueAfterLoss ? 'serve waiters' : 'nobody waits')
    if (this.pool._policy.throwsWithoutListener || this.pool.listenerCount('error') > 0) this.pool.emit('error', error, client)
    else console.error('lakebase-native: the pool lost an idle connection and has no "error" listener:', error.message)
  }

  /** A connection has ended. */
  onEnd(event: EndEvent): void {
    const connection = this.get(event.connection)
    if (!connection) return
    connection.stopLifetime()
    if (connection.preparing) {
      connection.preparing = false
      this.pool._counters.introduced--
    }
    const told = (): void => {
      this.connections.delete(connection.id)
      // A caller that holds it releases it, and it is removed then.
      if (connection.held || !this.open.has(connection)) return
      if (!event.error) this.pool.log('remove idle client')
      this.remove(connection)
    }
    connection.inContext(() => connection.client.handleEnd(event.error, told))
  }
}
