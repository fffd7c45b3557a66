/** What a query resolves to: node-postgres' result. */

import { commands } from './contract.js'
import type { WireError } from './errors.js'
import type { QueryResult, QueryResultRow } from './interfaces/query.js'
import { types, type TypeParser, type TypeSource } from './types.js'
import { unreadable, type Cursor, type Field, type Shape } from './rows.js'

/** How the rows of one query are wanted. */
export interface RowOptions {
  /** `array`: rows are arrays of values instead of objects. */
  rowMode?: string | undefined
  types?: TypeSource | undefined
}

/** The outcome of one statement, with node-postgres' names. */
export class Result<R extends QueryResultRow = any> implements QueryResult<R> {
  /** First word of the command tag: `SELECT`, `INSERT`, …; null, whatever the type says, for an empty query. */
  command: string = null!
  /** Rows affected or returned; null where the command has no count. */
  rowCount: number | null = null
  /** OID of the inserted row: 0 since PostgreSQL 12; null, whatever the type says, for anything but INSERT. */
  oid: number = null!
  rows: R[] = []
  fields: Field[] = []
  /** @internal */
  _parsers: TypeParser[] | undefined = undefined
  /** @internal */
  _types: TypeSource | undefined
  /** @internal Always null: a remnant that node-postgres' results have, too. */
  RowCtor: null = null
  rowAsArray: boolean
  /** @internal Declared only: node-postgres' results have it last. */
  declare _prebuiltEmptyResultObject: Record<string, null> | null

  constructor(rowMode?: string, types?: TypeSource) {
    this._types = types
    this.rowAsArray = rowMode === 'array'
    if (this.rowAsArray) this.parseRow = this._parseRowAsArray
    this._prebuiltEmptyResultObject = null
  }

  /** Takes the command tag from a CommandComplete message. */
  addCommandComplete(message: { text?: string; command?: string }): void {
    const match = /^([A-Za-z]+)(?: (\d+))?(?: (\d+))?/.exec(String(message.text || message.command))
    if (!match) return
    const [, command, first, second] = match
    this.command = command!
    if (second) {
      this.oid = Number.parseInt(first!, 10)
      this.rowCount = Number.parseInt(second, 10)
    } else if (first) {
      this.rowCount = Number.parseInt(first, 10)
    }
  }

  /** Takes the columns from a RowDescription message. */
  addFields(fields: Field[]): void {
    this.fields = fields
    if (fields.length) this._parsers = new Array<TypeParser>(fields.length)
    const row = Object.create(null) as Record<string, null>
    fields.forEach(({ name, dataTypeID, format }, column) => {
      row[name] = null
      this._parsers![column] = (this._types ?? types).getTypeParser(dataTypeID, format || 'text')
    })
    this._prebuiltEmptyResultObject = { ...row }
  }

  addRow(row: R): void {
    this.rows.push(row)
  }

  /** Makes a row from the texts of a DataRow message. */
  parseRow(values: (string | null)[]): unknown {
    const row: Record<string, unknown> = { ...this._prebuiltEmptyResultObject }
    values.forEach((value, column) => {
      const { name, format } = this.fields[column]!
      row[name] = value === null ? null : this._parsers![column]!(format === 'binary' ? Buffer.from(value) : value)
    })
    return row
  }

  /** @internal */
  _parseRowAsArray(values: (string | null)[]): unknown {
    return values.map((value, column) => (value === null ? null : this._parsers![column]!(value)))
  }
}

/** Words of a result's header. */
const HEADER = 8

/** Takes the next result from a frame. Throws what a type parser throws, or `toError` of what the core says instead of a result. */
export function readResult(
  result: Result,
  cursor: Cursor,
  shapes: Map<number, Shape>,
  options: RowOptions,
  toError: (wire: WireError) => Error,
): void {
  cursor.demand(HEADER)
  const { words, doubles, position } = cursor
  const shape = words[position]!
  const count = words[position + 1]!
  if (shape === -2) throw toError(JSON.parse(cursor.text(count)) as WireError)
  const command = words[position + 2]!
  if (command >= 0) result.command = commands[command]!
  // No word at all: node-postgres reads it as this one.
  else if (command === -2) result.command = cursor.text(words[position + 3]!) || 'undefined'
  const rowCount = doubles[(position + 4) >> 1]!
  const oid = doubles[(position + 6) >> 1]!
  if (rowCount === rowCount) result.rowCount = rowCount
  if (oid === oid) result.oid = oid
  cursor.position = position + HEADER
  if (shape === -1) return
  const columns = shapes.get(shape)
  if (!columns) throw unreadable()
  result.fields = columns.copyFields()
  result.rows = columns.decode(cursor, count, options.types ?? types, result.rowAsArray)
}
