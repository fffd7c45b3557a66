/** A query: what the caller wrote, and what becomes of it. */

import { EventEmitter } from 'node:events'
import { defaults } from './defaults.js'
import { BINARY, EXTENDED, type WireValue } from './native.js'
import type { Connection, QueryConfig, QueryListener, QueryResultRow, ResultBuilder, Submittable } from './pg/types.js'
import { Result } from './result.js'
import { decodingOf, types as defaultTypes, type TypeSource } from './types.js'
import { prepareValues } from './values.js'

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
  callback?: QueryCallback | undefined
  /** It sends itself. */
  submit?: Submittable['submit'] | undefined
}

export type QueryCallback = (error: Error | null | undefined, result?: Result | Result[]) => void

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

/** node-postgres' `Query`: given to `client.query()`, it emits `row`, `end` and `error`. */
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
    this._result = new Result(this._rowMode)
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

  /** @internal */
  handleResults(results: Result[], error: unknown): void {
    if (error) return this.handleError(error as Error)
    const [first] = results
    this._result = results.at(-1) ?? this._result
    this._results = results.length > 1 ? results : (first ?? this._result)
    if (this.listenerCount('row')) this.emitRows(results)
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

  private emitRows(results: Result[]): void {
    for (const result of results) {
      for (const row of result.rows) this.emit('row', row, result)
      // Whoever takes rows one by one gets no second copy of them.
      if (!this.callback) result.rows = []
    }
  }

  /** @internal */
  handleError(error: Error): void {
    if (this.callback) this.callback(error)
    else this.emit('error', error)
  }
}

/** What node-postgres' queries have and callers see only through types: listeners by event, and how a query sends itself. */
// biome-ignore lint/correctness/noUnusedVariables: the class's parameters
export interface Query<R extends QueryResultRow = any, I extends any[] = any> {
  submit(connection: Connection): void
  on<E extends 'row' | 'error' | 'end'>(event: E, listener: QueryListener<E, R>): this
}

/** The parsers of a query without any of its own. */
export const queryTypes: TypeSource = defaultTypes
