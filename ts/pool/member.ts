/** One connection of a pool, as its pool sees it. */

import type { AsyncResource } from 'node:async_hooks'
import type { Client } from '../client.js'
import { guarded } from '../query.js'

/** Gives a client back: `release()` for more use, `release(true)` or `release(error)` to close its connection. */
export type Release = (error?: Error | boolean) => void

/** A connection checked out of a pool. */
export interface PoolClient extends Client {
  release: Release
}

export class Member {
  /** A caller has it, or is about to. */
  held = false
  /** `maxLifetimeSeconds` have passed. */
  expired = false
  /** How often a caller has given it back. */
  uses = 0
  /** The pool began it of its own accord, and it is not in service yet. */
  preparing = false
  private readonly idleListener: (error: Error) => void
  private lifetime: NodeJS.Timeout | undefined

  /** `onIdleError` hears of an error while nobody has the client. `context`: that of whoever made the pool open the connection. */
  constructor(
    readonly client: PoolClient,
    onIdleError: (member: Member, error: Error) => void,
    private readonly context: AsyncResource | undefined,
  ) {
    this.idleListener = (error) => {
      client.removeListener('error', this.idleListener)
      onIdleError(this, error)
    }
  }

  /** Calls listeners in the async context in which node-postgres calls them: a socket keeps that of whoever opened it. */
  inContext(call: () => void): void {
    if (this.context) this.context.runInAsyncScope(guarded, undefined, call)
    else call()
  }

  get connection(): number {
    return this.client._connection
  }

  /** Errors are the pool's from now on. */
  startIdling(): void {
    this.client.on('error', this.idleListener)
  }

  /** Errors are the holder's from now on. */
  stopIdling(): void {
    this.client.removeListener('error', this.idleListener)
  }

  /** Starts the clock of its life. */
  live(millis: number, onExpiry: (member: Member) => void): void {
    this.lifetime = setTimeout(() => {
      this.expired = true
      onExpiry(this)
    }, millis)
    this.lifetime.unref()
  }

  /** The connection has ended. */
  die(): void {
    clearTimeout(this.lifetime)
  }
}
