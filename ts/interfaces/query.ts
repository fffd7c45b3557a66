/**
 * What `@types/pg` declares of queries and results, under its names, so that a program written against it compiles with this package, and this
 * package's pools and clients can stand where its are expected. `any` stands where it has it: there, programs rely on it.
 */

import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import type { TypeSource } from '../types.js'

/** The values of a query: an array or a tuple, which may be `readonly`. */
export type QueryConfigValues<T> = T extends readonly unknown[] ? T : never

/** Where a client finds the parser of a type: `getTypeParser(oid, format)`. */
export interface CustomTypesConfig extends TypeSource {}

/** A query as an object. */
export interface QueryConfig<I = any[]> {
  /** Prepares the statement under this name, once per connection. */
  name?: string | undefined
  text: string
  values?: QueryConfigValues<I>
  types?: CustomTypesConfig | undefined
  /** `extended`: use the extended protocol even without values. */
  queryMode?: 'extended' | undefined
  /** Ask for values in binary format. */
  binary?: boolean | undefined
  /** Milliseconds after which the query is given up. */
  query_timeout?: number | undefined
  /** Aborting it cancels the query on the server; it fails with an `AbortError` (`ABORT_ERR`), and its connection can be used on. */
  signal?: AbortSignal | undefined
}

/** A query whose rows are arrays of values instead of objects. */
export interface QueryArrayConfig<I = any[]> extends QueryConfig<I> {
  rowMode: 'array'
}

/** A query object that sends itself: `Query`, pg-cursor, pg-query-stream, pg-copy-streams. */
export interface Submittable {
  submit: (connection: Connection) => void
}

/** One column of a result. */
export interface FieldDef {
  name: string
  tableID: number
  columnID: number
  dataTypeID: number
  dataTypeSize: number
  dataTypeModifier: number
  format: string
}

export interface QueryResultBase {
  /** First word of the command tag: `SELECT`, `INSERT`, … */
  command: string
  /** Rows affected or returned; null where the command has no count. */
  rowCount: number | null
  oid: number
  fields: FieldDef[]
}

/** A row as an object, keyed by column name. */
export interface QueryResultRow {
  [column: string]: any
}

export interface QueryResult<R extends QueryResultRow = any> extends QueryResultBase {
  rows: R[]
}

export interface QueryArrayResult<R extends any[] = any[]> extends QueryResultBase {
  rows: R[]
}

export interface ResultBuilder<R extends QueryResultRow = any> extends QueryResult<R> {
  addRow(row: R): void
}

/** Listener of a query's event. */
export type QueryListener<E, R extends QueryResultRow> = E extends 'row'
  ? (row: R, result?: ResultBuilder<R>) => void
  : E extends 'error'
    ? (err: Error) => void
    : (result: ResultBuilder<R>) => void

export interface QueryParse {
  name: string
  text: string
  types: string[]
}

export interface BindConfig {
  portal?: string | undefined
  statement?: string | undefined
  binary?: string | undefined
  values?: (Buffer | null | undefined | string)[] | undefined
  valueMapper?: ((param: any, index: number) => any) | undefined
}

export interface ExecuteConfig {
  portal?: string | undefined
  rows?: string | undefined
}

export interface MessageConfig {
  type: string
  name?: string | undefined
}

/** What a `Submittable` speaks the protocol with. */
export interface Connection extends EventEmitter {
  readonly stream: Duplex
  bind(config: BindConfig | null, more: boolean): void
  execute(config: ExecuteConfig | null, more: boolean): void
  parse(query: QueryParse, more: boolean): void
  query(text: string): void
  describe(msg: MessageConfig, more: boolean): void
  close(msg: MessageConfig, more: boolean): void
  flush(): void
  sync(): void
  end(): void
}
