/** Rows of a result too large to be had at once: fetched through a portal, batch by batch, as fast as they are taken. */

import { environment, expect } from './environment.js'
import type { WireError } from './errors.js'
import { send, type QuerySettings } from './query.js'
import type { Result } from './result.js'
import { decodingOf, type TypeSource } from './types.js'

export interface StreamOptions {
  /** Rows per round trip. Default 1,000. */
  batchSize?: number | undefined
  /** `array`: rows are arrays of values instead of objects. */
  rowMode?: string | undefined
  types?: TypeSource | undefined
}

/** The client whose connection it is. */
export interface PortalOwner {
  readonly connection: number
  readonly types: TypeSource
  readonly toError: (wire: WireError) => Error
  /** Puts the portal into the client's queue. */
  enqueue(portal: Portal): void
  /** The connection is ready for the next query, once `tell` has been called. */
  done(portal: Portal, status: string, tell: () => void): void
  failed(portal: Portal, error: Error, status: string): void
}

interface Batch {
  rows: unknown[]
  isLast: boolean
}

const OPEN = 0
const MORE = 1
const CLOSE = 2
const DEFAULT_BATCH = 1_000
const MAX_BATCH = 0x7fff_ffff

/** A query whose rows are fetched in batches. Nothing else runs on its connection from its turn in the queue to its last row. */
export class Portal {
  private readonly config: QuerySettings
  private readonly types: TypeSource
  private readonly rowMode: string | undefined
  private readonly batchSize: number
  private resolve: (batch: Batch) => void = () => {}
  private reject: (error: Error) => void = () => {}
  /** The server has more rows for it. */
  private isOpen = false
  private failure: Error | undefined

  constructor(
    private readonly owner: PortalOwner,
    text: string,
    values: readonly unknown[] | undefined,
    { batchSize = DEFAULT_BATCH, rowMode, types = owner.types }: StreamOptions,
  ) {
    if (!Number.isInteger(batchSize) || batchSize < 1 || batchSize > MAX_BATCH) {
      throw new RangeError(`batchSize is a whole number from 1 to ${MAX_BATCH}, not ${batchSize}`)
    }
    this.config = { text, values, queryMode: 'extended' }
    this.types = types
    this.rowMode = rowMode
    this.batchSize = batchSize
  }

  /**
   * All rows, in order. At most two batches are in memory: the one being taken and the next. Leaving early, as by `break`, ends the query;
   * the generator is done when the connection is ready for the next one.
   */
  async *rows<Row>(): AsyncGenerator<Row, void, undefined> {
    let coming = this.expectBatch(() => this.owner.enqueue(this))
    try {
      for (;;) {
        const { rows, isLast } = await coming
        if (!isLast) {
          // The server works on the next batch while this one is taken. What goes wrong with it is heard then.
          coming = this.expectBatch(() => this.step(MORE))
          coming.catch(() => {})
        }
        for (const row of rows) yield row as Row
        if (isLast) return
      }
    } finally {
      await coming.catch(() => {})
      if (this.isOpen) await this.expectBatch(() => this.step(CLOSE))
    }
  }

  private expectBatch(ask: () => void): Promise<Batch> {
    return new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
      if (this.failure) reject(this.failure)
      else ask()
    })
  }

  /** Its turn has come: opens the portal. The error that keeps it from being sent is returned. */
  open(): Error | null {
    try {
      send(this.config, this.types, false, (text, _name, params, flags) => {
        environment.fetch(this.owner.connection, this.expectAnswer(), OPEN, text, params, this.batchSize, flags)
      })
      return null
    } catch (error) {
      return error as Error
    }
  }

  private step(step: typeof MORE | typeof CLOSE): void {
    environment.fetch(this.owner.connection, this.expectAnswer(), step, '', null, this.batchSize, decodingOf(this.types))
  }

  private expectAnswer(): number {
    return expect({
      options: { rowMode: this.rowMode, types: this.types },
      toError: this.owner.toError,
      respond: (results, _connection, status, error) => this.take(results, status, error),
      fail: (error, status) => {
        this.isOpen = false
        this.owner.failed(this, error, status)
      },
    })
  }

  private take([result]: Result[], status: string, error: unknown): void {
    // A batch that is not the last has rows, and no command.
    const isLast = !result || result.command !== null || (result.rows.length === 0 && !error)
    this.isOpen = !isLast
    const tell = (): void => {
      if (error) this.reject(error as Error)
      else this.resolve({ rows: result?.rows ?? [], isLast })
    }
    if (isLast) this.owner.done(this, status, tell)
    else tell()
  }

  /** The query has failed, or its connection has ended. */
  handleError(error: Error): void {
    this.isOpen = false
    this.failure = error
    this.reject(error)
  }
}
