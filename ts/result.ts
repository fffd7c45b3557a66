/** What a query resolves to: node-postgres' result. */

import { types, type TypeSource } from './types.js'
import type { Cursor, Field, Shape } from './rows.js'

/** `COMMANDS` in src/batch/mod.rs. */
const commands = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  'SET',
  'CREATE',
  'DROP',
  'ALTER',
  'SHOW',
  'MERGE',
  'START',
  'SAVEPOINT',
  'TRUNCATE',
]

/** How the rows of one query are wanted. */
export interface RowOptions {
  /** `array`: rows are arrays of values instead of objects. */
  rowMode?: string | undefined
  types?: TypeSource | undefined
}

/** The outcome of one statement, with node-postgres' names. */
export class Result {
  /** First word of the command tag: `SELECT`, `INSERT`, … */
  command: string | null = null
  /** Rows affected or returned; null where the command has no count. */
  rowCount: number | null = null
  /** OID of the inserted row: 0 since PostgreSQL 12; null for anything but INSERT. */
  oid: number | null = null
  rows: unknown[] = []
  fields: Field[] = []
  rowAsArray: boolean

  constructor(rowMode?: string) {
    this.rowAsArray = rowMode === 'array'
  }
}

/** Takes one result from a batch. What a parser throws is returned as `error`; the cursor is behind the result either way. */
export function readResult(cursor: Cursor, shapes: Map<number, Shape>, options: RowOptions): { result: Result; error?: unknown } {
  const { words, doubles, position } = cursor
  const shape = shapes.get(words[position]!)
  const count = words[position + 1]!
  const command = words[position + 2]!
  const result = new Result(options.rowMode)
  if (command >= 0) result.command = commands[command]!
  else if (command === -2) result.command = cursor.text(words[position + 3]!)
  const rowCount = doubles[(position + 4) >> 1]!
  const oid = doubles[(position + 6) >> 1]!
  if (rowCount === rowCount) result.rowCount = rowCount
  if (oid === oid) result.oid = oid
  cursor.position = position + 8
  if (!shape) return { result }
  result.fields = shape.fields.slice()
  try {
    result.rows = shape.decode(cursor, count, options.types ?? types, result.rowAsArray)
    return { result }
  } catch (error) {
    return { result, error }
  }
}
