/** A query: what the caller wrote, and what becomes of it. */

import { AsyncResource } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { defaults } from './defaults.js'
import { BINARY, EXTENDED } from './contract.js'
import type { WireValue } from './native.js'
import type { Connection } from './protocol/connection.js'
import type {
  Connection as PublicConnection,
  QueryConfig,
  QueryListener,
  QueryResultRow,
  ResultBuilder,
  Submittable,
} from './interfaces/query.js'
import { Result } from './result.js'
import type { Field } from './rows.js'
import { decodingOf, type TypeSource } from './types.js'
import { prepareValue, prepareValues } from './values.js'

/** Whatever a query can be given as an object, with node-postgres' names; what callers may write is `QueryConfig`. */
export interface QuerySettings {
  text?: string | undefined
  values?: readonly unknown[] | undefined
  /** Prepares the statement under this name, once per connection. */
  name?: string | undefined
  /** `array`: rows are arrays of values instead of objects. */
  rowMode?: string | undefined
  types?: TypeSource | undefined
  /** `extended`: use the extended protocol even without values. */
  queryMode?: string | undefined
  /** Ask for values in binary format. */
  binary?: boolean | undefined
  /** Rows per round trip of a portal; only meaningful with `row` events. */
  rows?: number | undefined
  portal?: string | undefined
  /** Milliseconds after which the query is given up. */
  query_timeout?: number | undefined
  /** The query is cancelled when it is aborted. */
  signal?: AbortSignal | undefined
  callback?: QueryCallback | undefined
  /** It sends itself. */
  submit?: Submittable['submit'] | undefined
}

export type QueryCallback = (error: Error | null | undefined, result?: Result | Result[]) => void

/** What a callback or listener throws is an uncaught exception, or its domain's; the code after this call runs all the same. */
export function guarded(call: () => void): void {
  try {
    call()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}

/** A callback that finds the caller's async context (AsyncLocalStorage, domains) when it is called; what it throws is thrown there, too. */
export function inContext<Args extends any[]>(callback: (...args: Args) => unknown): (...args: Args) => void {
  if (typeof callback !== 'function') return callback
  return AsyncResource.bind((...args: Args) => guarded(() => callback(...args)))
}

/** Sends a query; the flags and values are those of `Environment.query`. */
export type Send = (text: string, name: string | null, params: WireValue[] | null, flags: number) => void

/** The arguments of `query()`, in any of their forms, as one config. The caller's object stays as it is. */
export function normalize(
  config: string | QuerySettings,
  values?: readonly unknown[] | QueryCallback,
  callback?: QueryCallback,
): QuerySettings {
  const normal: QuerySettings =
    typeof config === 'string'
      ? { text: config }
      : (Object.defineProperties(
          Object.create(Object.getPrototypeOf(config) as object | null),
          Object.getOwnPropertyDescriptors(config),
        ) as QuerySettings)
  if (typeof values === 'function') normal.callback = values
  else if (values) normal.values = values
  if (callback) normal.callback = callback
  return normal
}

/** Whether a query needs the extended protocol: the same rule as node-postgres'. */
export function isExtended({ queryMode, name, rows, text, values }: QuerySettings): boolean {
  if (queryMode === 'extended' || name || rows) return true
  return Boolean(text) && Boolean(values) && values!.length > 0
}

/** What is wrong with a query before it is sent, in node-postgres' words. */
function complaint({ text, name, values }: QuerySettings): Error | undefined {
  if (typeof text !== 'string' && typeof name !== 'string') {
    return new Error('A query must have either text or a name. Supplying neither is unsupported.')
  }
  if (values && !Array.isArray(values)) return new Error('Query values must be an array')
  return undefined
}

/** PostgreSQL cuts longer names off. */
const MAX_NAME = 63
const longNames = new Set<string>()

/** Once per name, in node-postgres' words. */
function warnOfLongName(name: string): void {
  if (longNames.has(name)) return
  longNames.add(name)
  console.error('Warning! Postgres only supports 63 characters for query names.')
  console.error('You supplied %s (%s)', name, name.length)
  console.error('This can cause conflicts and silent errors executing queries')
}

/** Sends a query, or throws what is wrong with it or its values. */
export function send(config: QuerySettings, types: TypeSource, binary: boolean, out: Send): void {
  const wrong = complaint(config)
  if (wrong) throw wrong
  const decoding = decodingOf(types)
  if (!isExtended(config)) return out(config.text ?? '', null, null, decoding)
  if (config.name && config.name.length > MAX_NAME) warnOfLongName(config.name)
  const params = config.values ? prepareValues(config.values) : null
  out(config.text ?? '', config.name || null, params, decoding | EXTENDED | (config.binary || binary ? BINARY : 0))
}

/** A query class of node-postgres or of another package: it speaks the protocol itself, message by message. */
export interface ProtocolQuery {
  submit(connection: Connection): unknown
  handleRowDescription(message: { fields: Field[] }): void
  handleDataRow(message: { fields: (string | null)[] }): void
  handleCommandComplete(message: { text: string }, connection: Connection): void
  handleEmptyQuery(connection: Connection): void
  handlePortalSuspended(connection: Connection): void
  handleReadyForQuery(connection: Connection): void
  handleError(error: Error, connection?: Connection): void
  handleCopyInResponse(connection: Connection): void
  handleCopyData(message: { chunk: Buffer }, connection: Connection): void
  callback?: QueryCallback | undefined
  name?: string | undefined
  text?: string | undefined
  rows?: number | undefined
  binary?: boolean | undefined
  _result?: Result | undefined
}

/**
 * node-postgres' `Query`. A client's own are sent and read in Rust; one that a caller makes emits `row`, `end` and `error` at the moments
 * at which node-postgres' does, and so goes through a tunnel, message by message.
 */
export class Query<R extends QueryResultRow = any, I extends any[] = any> extends EventEmitter implements Submittable {
  text: string | undefined
  values: readonly unknown[] | undefined
  rows: number | undefined
  types: TypeSource | undefined
  name: string | undefined
  queryMode: string | undefined
  binary: boolean | undefined
  portal: string
  callback: QueryCallback | undefined
  /** @internal */
  readonly _rowMode: string | undefined
  /** @internal */
  _result: Result
  /** @internal */
  _results: Result | Result[]
  /** @internal Made by a client, which hands it over to Rust. */
  _own = false
  /** @internal What a type parser threw: the query's error once the server is done. */
  _canceledDueToError: Error | false = false
  private _accumulateRows: boolean | undefined

  constructor(queryTextOrConfig?: string | QueryConfig<I>, callback?: (error: Error | undefined, result: ResultBuilder<R>) => void)
  constructor(
    queryTextOrConfig?: string | QueryConfig<I>,
    values?: I,
    callback?: (error: Error | undefined, result: ResultBuilder<R>) => void,
  )
  /** @internal */
  constructor(config: string | QuerySettings, values?: readonly unknown[] | QueryCallback, callback?: QueryCallback)
  constructor(config?: string | QuerySettings, values?: readonly unknown[] | ((...args: any[]) => void), callback?: (...args: any[]) => void) {
    super()
    const normal = normalize(config!, values, callback)
    this.text = normal.text
    this.values = normal.values
    this.rows = normal.rows
    this.types = normal.types
    this.name = normal.name
    this.queryMode = normal.queryMode
    this.binary = normal.binary
    this.portal = normal.portal || ''
    this.callback = normal.callback
    this._rowMode = normal.rowMode
    this._result = new Result(this._rowMode, this.types)
    this._results = this._result
  }

  requiresPreparation(): boolean {
    return isExtended(this)
  }

  /** @internal Sends it; the error that keeps it from being sent is returned. */
  dispatch(types: TypeSource, out: Send): Error | null {
    try {
      send(this, this.types ?? types, defaults.binary, out)
      return null
    } catch (error) {
      return error as Error
    }
  }

  /** @internal Takes the whole answer of a query that was sent in Rust. */
  handleResults(results: Result[], error: unknown): void {
    if (error) return this.handleError(error as Error)
    const [first] = results
    this._result = results.at(-1) ?? this._result
    this._results = results.length > 1 ? results : (first ?? this._result)
    this.tellResults()
  }

  private tellResults(): void {
    if (this.callback) {
      try {
        this.callback(null, this._results)
      } catch (thrown) {
        process.nextTick(() => {
          throw thrown
        })
      }
    }
    this.emit('end', this._results)
  }

  /** Writes the messages; the error that keeps it from being sent is returned. */
  submit(connection: PublicConnection): Error | null
  /** @internal */
  submit(connection: Connection): Error | null
  submit(given: PublicConnection | Connection): Error | null {
    const connection = given as Connection
    const wrong = complaint(this) ?? this.misnamed(connection)
    if (wrong) return wrong
    if (!this.requiresPreparation()) {
      connection.query(this.text!)
      return null
    }
    connection.stream.cork()
    try {
      this.prepare(connection)
    } finally {
      connection.stream.uncork()
    }
    return null
  }

  /** A name stands for one text on a connection. */
  private misnamed(connection: Connection): Error | undefined {
    const known = this.name && (connection.parsedStatements[this.name] || connection.submittedNamedStatements[this.name])
    if (!this.text || !known || known === this.text) return undefined
    return new Error(`Prepared statements must be unique - '${this.name}' was used for a different statement`)
  }

  /** @internal */
  hasBeenParsed(connection: Connection): boolean {
    const { parsedStatements, submittedNamedStatements } = connection
    return Boolean(this.name) && (parsedStatements[this.name!] ?? submittedNamedStatements[this.name!]) !== undefined
  }

  /** @internal */
  prepare(connection: Connection): void {
    const { name, portal } = this
    if (!this.hasBeenParsed(connection)) {
      connection.parse({ text: this.text ?? '', name })
      if (name) connection.submittedNamedStatements[name] = this.text ?? ''
    }
    try {
      const values = this.values as unknown[] | undefined
      connection.bind({ portal, statement: name, values, binary: this.binary, valueMapper: prepareValue } as Parameters<Connection['bind']>[0])
    } catch (error) {
      // A value that cannot be sent: the statement goes, and the server says when it is ready again.
      connection.close({ type: 'S', name: name as string })
      connection.sync()
      this.handleError(error as Error)
      return
    }
    connection.describe({ type: 'P', name: portal })
    this._getRows(connection, this.rows)
  }

  /** @internal Asks for the next page of rows, or for all of them. */
  _getRows(connection: Connection, rows: number | undefined): void {
    connection.execute({ portal: this.portal, rows } as Parameters<Connection['execute']>[0])
    if (rows) connection.flush()
    else connection.sync()
  }

  /** @internal */
  handlePortalSuspended(connection: Connection): void {
    this._getRows(connection, this.rows)
  }

  /** A statement that is not the text's first has a result of its own. */
  private checkForMultirow(): void {
    if (!this._result.command) return
    if (!Array.isArray(this._results)) this._results = [this._result]
    this._result = new Result(this._rowMode, this._result._types)
    this._results.push(this._result)
  }

  /** @internal */
  handleRowDescription(message: { fields: Field[] }): void {
    this.checkForMultirow()
    this._result.addFields(message.fields)
    this._accumulateRows = Boolean(this.callback) || this.listenerCount('row') === 0
  }

  /** @internal */
  handleDataRow(message: { fields: (string | null)[] }): void {
    if (this._canceledDueToError) return
    let row: unknown
    try {
      row = this._result.parseRow(message.fields)
    } catch (error) {
      this._canceledDueToError = error as Error
      return
    }
    this.emit('row', row, this._result)
    if (this._accumulateRows) this._result.addRow(row)
  }

  /** @internal */
  handleCommandComplete(message: { text: string }, connection: Connection): void {
    this.checkForMultirow()
    this._result.addCommandComplete(message)
    // Pages were asked for without a Sync.
    if (this.rows) connection.sync()
  }

  /** @internal */
  handleEmptyQuery(connection: Connection): void {
    if (this.rows) connection.sync()
  }

  /** @internal */
  handleReadyForQuery(_connection?: Connection): void {
    if (this._canceledDueToError) this.handleError(this._canceledDueToError)
    else this.tellResults()
  }

  /** @internal */
  handleError(error: Error, _connection?: Connection): void {
    const cause = this._canceledDueToError || error
    this._canceledDueToError = false
    if (this.callback) this.callback(cause)
    else this.emit('error', cause)
  }

  /** @internal */
  handleCopyInResponse(connection: Connection): void {
    connection.sendCopyFail('No source stream defined')
  }

  /** @internal */
  handleCopyData(_message: { chunk: Buffer }, _connection: Connection): void {}
}

/** Which listener belongs to which event. */
// biome-ignore lint/correctness/noUnusedVariables: the class's parameters
export interface Query<R extends QueryResultRow = any, I extends any[] = any> {
  on<E extends 'row' | 'error' | 'end'>(event: E, listener: QueryListener<E, R>): this
}

const { submit, handleRowDescription, handleDataRow } = Query.prototype
const { addFields, parseRow, addRow } = Result.prototype

/** Whether methods of node-postgres' classes were replaced that send queries and read results: then those are used. */
export function isPatched(): boolean {
  const { prototype: query } = Query
  const { prototype: result } = Result
  return (
    query.submit !== submit || query.handleRowDescription !== handleRowDescription || query.handleDataRow !== handleDataRow
    || result.addFields !== addFields || result.parseRow !== parseRow || result.addRow !== addRow
  )
}
