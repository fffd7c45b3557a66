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
  /** The connection is ready for the next query, once `tell` has been called. */
  done(portal: Portal, status: string, tell: () => void): void
  failed(portal: Portal, error: Error, status: string): void
}

interface Batch {
  rows: unknown[]
  isLast: boolean
}

/** How to answer the caller that waits for a batch. */
interface Awaited {
  resolve(batch: Batch): void
  reject(error: Error): void
}

const OPEN = 0
const MORE = 1
const CLOSE = 2
const DEFAULT_BATCH = 1_000
/** Batches asked for beyond the one being taken, so that the server always has one to work on. */
const AHEAD = 2
const MAX_BATCH = 0x7fff_ffff

/** A query whose rows are fetched in batches. Nothing else runs on its connection from its turn in the queue to its last row. */
export class Portal {
  readonly config: QuerySettings
  private readonly types: TypeSource
  private readonly rowMode: string | undefined
  private readonly batchSize: number
  /** The batches that are on their way. */
  private readonly awaited = new Set<Awaited>()
  private first: Awaited | undefined
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
   * All rows, in order. At most three batches are in memory: the one being taken and the next two. Leaving early, as by `break`, ends the
   * query; the generator is done when the connection is ready for the next one. `enqueue` puts the portal into the queue, at the first row.
   */
  async *rows<Row>(enqueue: () => void): AsyncGenerator<Row, void, undefined> {
    const coming = [
      this.expectBatch((first) => {
        this.first = first
        enqueue()
      }),
    ]
    try {
      for (;;) {
        const { rows, isLast } = await coming.shift()!
        while (!isLast && coming.length < AHEAD) coming.push(this.step(MORE))
        for (const row of rows) yield row as Row
        if (isLast) return
      }
    } finally {
      await Promise.allSettled(coming)
      if (this.isOpen) await this.step(CLOSE)
    }
  }

  private step(step: typeof MORE | typeof CLOSE): Promise<Batch> {
    return this.expectBatch((batch) => {
      environment.fetch(this.owner.connection, this.expectAnswer(batch), step, '', null, this.batchSize, decodingOf(this.types))
    })
  }

  private expectBatch(ask: (batch: Awaited) => void): Promise<Batch> {
    const batch = new Promise<Batch>((resolve, reject) => {
      if (this.failure) return reject(this.failure)
      const awaited = { resolve, reject }
      this.awaited.add(awaited)
      ask(awaited)
    })
    // What goes wrong is heard when its turn comes to be taken.
    batch.catch(() => {})
    return batch
  }

  /** Its turn has come: opens the portal. The error that keeps it from being sent is returned. */
  open(): Error | null {
    try {
      send(this.config, this.types, false, (text, _name, params, flags) => {
        environment.fetch(this.owner.connection, this.expectAnswer(this.first!), OPEN, text, params, this.batchSize, flags)
      })
      return null
    } catch (error) {
      return error as Error
    }
  }

  private expectAnswer(batch: Awaited): number {
    return expect({
      options: { rowMode: this.rowMode, types: this.types },
      toError: this.owner.toError,
      respond: (results, _connection, status, error) => this.take(batch, results, status, error),
      fail: (error, status) => {
        this.isOpen = false
        this.owner.failed(this, error, status)
      },
    })
  }

  private take(batch: Awaited, [result]: Result[], status: string, error: unknown): void {
    const tell = (isLast: boolean): void => {
      this.awaited.delete(batch)
      if (error) batch.reject(error as Error)
      else batch.resolve({ rows: result?.rows ?? [], isLast })
    }
    const wasOpen = this.isOpen
    // A batch that is not the last has rows, and no command.
    this.isOpen = result !== undefined && result.command === null && (result.rows.length > 0 || Boolean(error))
    if (this.isOpen) tell(false)
    // Asked for before the last one had come: the connection may be another query's by now.
    else if (!result && !wasOpen) tell(true)
    else this.owner.done(this, status, () => tell(true))
  }

  /** The query has failed, or its connection has ended. */
  handleError(error: Error): void {
    this.isOpen = false
    this.failure = error
    for (const { reject } of this.awaited) reject(error)
    this.awaited.clear()
  }
}
