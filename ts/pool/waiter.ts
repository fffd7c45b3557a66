/** A caller of `pool.connect()` who has no client yet. */

import { TimeoutError, type WireError } from '../errors.js'
import { toPgError } from '../pg-errors.js'
import type { PoolClient, Release } from './member.js'

export type ConnectCallback = (error: Error | undefined, client?: PoolClient, release?: Release) => void

const waitedTooLong = 'timeout exceeded when trying to connect'
const connectedTooLate = 'Connection terminated due to connection timeout'

export class Waiter {
  timedOut = false
  private timer: NodeJS.Timeout | undefined

  constructor(private readonly callback: ConnectCallback) {}

  /** Gives up after `millis` in the queue. As in pg-pool this keeps no process alive. */
  bound(millis: number, onTimeout: () => void): void {
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
  giveUp(error: Error): void {
    this.callback(error)
  }

  serve(client: PoolClient): void {
    clearTimeout(this.timer)
    this.callback(undefined, client, client.release)
  }
}

/** The error of a caller who waited too long for a connection to become free. */
export function queueTimeout(likePg: boolean): Error {
  if (likePg) return new Error(waitedTooLong)
  const hint = 'all connections were busy for connectionTimeoutMillis: raise max, or look for clients that are not released'
  return Object.assign(new TimeoutError(`${waitedTooLong} (${hint})`), { code: 'CONNECTION_TIMEOUT', hint })
}

/** Whether pg-pool's error says that connecting took too long. */
export function isConnectTimeout(error: Error): boolean {
  return error.message === connectedTooLate
}

/** An error of the pool in Rust, in pg-pool's words. */
export function toPgPoolError(wire: WireError): Error {
  if (wire.code !== 'CONNECTION_TIMEOUT') return toPgError(wire)
  if (wire.message.startsWith(waitedTooLong)) return new Error(waitedTooLong)
  return new Error(connectedTooLate, { cause: new Error('Connection terminated unexpectedly') })
}
