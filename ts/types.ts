/** Which parser a value gets, and which types Rust may decode because nobody has set another parser for them. */

import type * as PgTypes from 'pg-types'
import { ALL_DECODED, decoded } from './contract.js'

/** Turns the server's text (or bytes, in binary format) into a value. */
export type TypeParser<Input = any, Value = any> = (value: Input) => Value

/** Anything with node-postgres' `getTypeParser`: `pg.types`, a `TypeOverrides`, the `types` of one query. */
export interface TypeSource {
  getTypeParser(oid: number, format?: 'text' | 'binary'): TypeParser
}

/** node-postgres' registry of parsers (`pg.types`): setting one here sets it for the process. */
export interface TypeRegistry extends TypeSource {
  /** OIDs by type name. */
  builtins: typeof PgTypes.builtins
  setTypeParser(oid: number, parser: TypeParser<string>): void
  setTypeParser(oid: number, format: 'text' | 'binary', parser: TypeParser): void
  /** Parses the text of an array, element by element. */
  arrayParser: typeof PgTypes.arrayParser
}

/**
 * node-postgres' own registry: the pg-types that the app has, so that a parser set there or in `pg.types` is set here, too; else the copy
 * that comes with this package. Other major versions parse differently and are no node-postgres'.
 */
function registry(): TypeRegistry {
  try {
    if (require('pg-types/package.json').version.startsWith('2.')) return require('pg-types')
  } catch {
    // The app has none.
  }
  return require('./bundled-pg-types.js')
}

export const types = registry()

/** The types that Rust decodes, with node-postgres' own parsers of them. */
const decodable = decoded.map(([bit, oid]) => ({ bit, oid, parser: types.getTypeParser(oid, 'text') }))

/** The types that `source` parses as node-postgres does by default, as bits of a query's flags. */
export function decodingOf(source: TypeSource): number {
  let bits: number = ALL_DECODED
  for (const { bit, oid, parser } of decodable) {
    if (source.getTypeParser(oid, 'text') !== parser) bits &= ~bit
  }
  return bits
}

/** Parsers of one client, on top of others; the same class as node-postgres'. */
export class TypeOverrides implements TypeSource {
  private readonly text: Record<number, TypeParser> = {}
  private readonly binary: Record<number, TypeParser> = {}
  private readonly parent: TypeSource

  constructor(userTypes?: TypeSource) {
    this.parent = userTypes || types
  }

  private overrides(format: string): Record<number, TypeParser> {
    switch (format) {
      case 'text':
        return this.text
      case 'binary':
        return this.binary
      default:
        return {}
    }
  }

  setTypeParser<T>(oid: number, parser: TypeParser<string, T>): void
  setTypeParser<T>(oid: number, format: 'text', parser: TypeParser<string, T>): void
  setTypeParser<T>(oid: number, format: 'binary', parser: TypeParser<Buffer, T>): void
  /** @internal */
  setTypeParser(oid: number, format: 'text' | 'binary' | TypeParser, parser?: TypeParser): void
  setTypeParser(oid: number, format: 'text' | 'binary' | TypeParser, parser?: TypeParser): void {
    if (typeof format === 'function') {
      this.text[oid] = format
    } else if (parser) {
      this.overrides(format)[oid] = parser
    }
  }

  getTypeParser(oid: number, format: 'text' | 'binary' = 'text'): TypeParser {
    return this.overrides(format)[oid] || this.parent.getTypeParser(oid, format)
  }
}

/** What a type without a parser of its own gets: its text. */
export const asText = types.getTypeParser(25, 'text')
