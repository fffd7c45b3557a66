/** A caller of `pool.connect()` who has no client yet. */

import type { PoolClient, Release } from './pooled-connection.js'

export type ConnectCallback = (error: Error | undefined, client?: PoolClient, release?: Release) => void

export class PendingCheckout {
  timedOut = false
  private timer: NodeJS.Timeout | undefined

  constructor(private readonly callback: ConnectCallback) {}

  /** Calls `onTimeout` after `millis` in the queue. As in pg-pool the timer keeps no process alive. */
  startTimeout(millis: number, onTimeout: () => void): void {
    this.timer = setTimeout(() => {
      this.timedOut = true
      onTimeout()
    }, millis)
    this.timer.unref()
  }

  fail(error: Error): void {
    clearTimeout(this.timer)
    this.callback(error, undefined, () => {})
  }

  /** The time in the queue is up: with one argument, as in pg-pool. */
  timeOut(error: Error): void {
    this.callback(error)
  }

  serve(client: PoolClient): void {
    clearTimeout(this.timer)
    this.callback(undefined, client, client.release)
  }
}
