/** One connection of a pool: its client, and what the pool knows about it. */

import type { AsyncResource } from 'node:async_hooks'
import type { Client } from '../client.js'
import { guarded } from '../query.js'

/** Gives a client back: `release()` for more use, `release(true)` or `release(error)` to close its connection. */
export type Release = (error?: Error | boolean) => void

/** A connection checked out of a pool. */
export interface PoolClient extends Client {
  release: Release
}

export class PooledConnection {
  /** A caller has it, or is about to. */
  held = false
  /** `maxLifetimeSeconds` have passed. */
  expired = false
  /** Rust made it for its own queries, and it is still being prepared. */
  preparing = false
  private readonly idleListener: (error: Error) => void
  private lifetime: NodeJS.Timeout | undefined

  /** `onIdleError` takes an error that comes while no caller has the client. `context`: that of the call for which the connection was made. */
  constructor(
    readonly client: PoolClient,
    onIdleError: (connection: PooledConnection, error: Error) => void,
    private readonly context: AsyncResource | undefined,
  ) {
    this.idleListener = (error) => {
      client.removeListener('error', this.idleListener)
      onIdleError(this, error)
    }
  }

  /** Calls listeners in the async context in which node-postgres calls them: that of the call which opened the socket. */
  inContext(call: () => void): void {
    if (this.context) this.context.runInAsyncScope(guarded, undefined, call)
    else call()
  }

  get id(): number {
    return this.client._connection
  }

  /** The pool handles errors from now on. */
  startIdling(): void {
    this.client.on('error', this.idleListener)
  }

  /** The caller that has the client handles errors from now on. */
  stopIdling(): void {
    this.client.removeListener('error', this.idleListener)
  }

  /** Starts the timer of its lifetime. */
  startLifetime(millis: number, onExpiry: (connection: PooledConnection) => void): void {
    this.lifetime = setTimeout(() => {
      this.expired = true
      onExpiry(this)
    }, millis)
    this.lifetime.unref()
  }

  /** The connection has ended. */
  stopLifetime(): void {
    clearTimeout(this.lifetime)
  }
}
