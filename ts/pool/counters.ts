/**
 * `totalCount`, `idleCount` and `waitingCount`: pg-pool's counters, which change in the ticks in which pg-pool changes them.
 *
 * Rust owns the phase of each connection, and its counts change when the server or a timer acts: between two ticks or within one. pg-pool's
 * counters change with its callbacks and events. So this class counts what callers have begun and which connections their events were emitted
 * for, and reads one number of Rust's (shared memory, no call): the connections begun for queries. This is the only correction.
 */

import { environment } from '../environment.js'
import { BEGUN } from '../native.js'
import type { PooledConnection } from './pooled-connection.js'

export class Counters {
  /** Connections that callers have checked out. */
  held = 0
  /** Connections being made for one caller each. */
  connecting = 0
  /** Queries that Rust runs on connections of its choice. */
  running = 0
  /** Connections that Rust has made for queries and whose `connect` event was emitted. */
  introduced = 0
  /** The pool ends: Rust makes no more of them. */
  isClosing = false
  /** Queries of this tick for which there was an idle client: pg-pool keeps those in its queue until the next tick. */
  private queuedThisTick = 0
  /** Connections begun for them. pg-pool begins those in the next tick. */
  private openedThisTick = 0
  private readonly rust: Int32Array | null

  /** `open`: the connections whose event was emitted, until they are removed. */
  constructor(
    pool: number,
    private readonly open: ReadonlySet<PooledConnection>,
  ) {
    this.rust = environment.counts(pool)
  }

  /** Open connections and those being made. */
  get total(): number {
    return this.open.size + this.connecting + this.unheard - this.openedThisTick
  }

  /** Open connections that nobody uses. */
  get idle(): number {
    return Math.max(0, this.total - this.used)
  }

  /** Queries that pg-pool would have in its queue. */
  get waitingQueries(): number {
    return this.queuedThisTick + Math.max(0, this.used - this.total)
  }

  /** Connections that pg-pool would have in use. */
  private get used(): number {
    return this.held + this.connecting + this.running - this.queuedThisTick
  }

  /** Connections that Rust has begun for queries and whose event was not emitted yet. */
  private get unheard(): number {
    return this.isClosing || !this.rust ? 0 : Math.max(0, this.rust[BEGUN]! - this.introduced)
  }

  /** Counts a query that Rust will run. True when pg-pool would make a connection for it. */
  addQuery(max: number): boolean {
    const used = this.held + this.connecting + this.running++
    const known = this.open.size + this.connecting
    if (this.queuedThisTick > 0 || used < known) {
      if (this.queuedThisTick++ === 0) process.nextTick(this.endTick)
    }
    if (used < known || known >= max) return false
    const total = known + this.unheard
    const grows = used >= total && total < max
    if (grows && this.queuedThisTick > 0) this.openedThisTick++
    return grows
  }

  private readonly endTick = (): void => {
    this.queuedThisTick = 0
    this.openedThisTick = 0
  }
}
