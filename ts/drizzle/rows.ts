/** Makes the objects of a selection from rows of arrays, as Drizzle's `mapResultRow` makes them, with one generated function per shape. */

import { Column, getTableName, is, noopDecoder, SQL, Subquery, type AnyColumn, type DriverValueDecoder } from 'drizzle-orm'
import { orm0 } from './orm.js'

/** One column of a selection: where its value goes, and what decodes it. */
export interface SelectedField {
  path: string[]
  field: AnyColumn | SQL | SQL.Aliased | Subquery
}

/** Tables of a join whose rows are not null, by name: without an entry, an object of nulls becomes null. */
export type Joins = Record<string, boolean> | undefined

type Decoder = DriverValueDecoder<unknown, unknown>
type MapRows = (rows: unknown[][], decoders: Decoder[]) => unknown[]

/** For fewer rows no function is generated. */
const MIN_GENERATED = 8
/** Functions that are kept. Beyond that the app makes up selections as it goes. */
const MAX_KEPT = 1000
/** Beyond this many columns a generated function is larger than it is worth. */
const MAX_COLUMNS = 128

const kept = new Map<string, MapRows>()

/** Makes an object of each row. The rows stay as they are: a cache may have them. */
export function mapRows(rows: unknown[][], fields: SelectedField[], joins: Joins): unknown[] {
  if (rows.length >= MIN_GENERATED) {
    const decoders = fields.map(({ field }) => decoderOf(field))
    const map = generated(fields, decoders, joins)
    if (map) return map(rows, decoders)
  }
  return rows.map((row) => orm0.mapResultRow(fields, row, joins))
}

function decoderOf(field: SelectedField['field']): Decoder {
  if (is(field, Column)) return field
  const source = field as unknown as { decoder?: Decoder; sql?: { decoder: Decoder }; _?: { sql: { decoder: Decoder } } }
  if (is(field, SQL)) return source.decoder!
  return is(field, Subquery) ? source._!.sql.decoder : source.sql!.decoder
}

/** Most columns pass on what the driver gives. */
function passesOn(decoder: Decoder): boolean {
  const decode = decoder.mapFromDriverValue
  return decode === Column.prototype.mapFromDriverValue || decode === noopDecoder.mapFromDriverValue
}

/** The function for a selection; undefined where Drizzle's result is not that of an object literal, or where no code may be generated. */
function generated(fields: SelectedField[], decoders: Decoder[], joins: Joins): MapRows | undefined {
  if (fields.length > MAX_COLUMNS) return undefined
  const body = bodyOf(fields, decoders, joins)
  if (body === undefined) return undefined
  let map = kept.get(body)
  if (!map) {
    try {
      map = new Function('rows', 'd', body) as MapRows
    } catch {
      // --disallow-code-generation-from-strings
      return undefined
    }
    if (kept.size >= MAX_KEPT) kept.clear()
    kept.set(body, map)
  }
  return map
}

type Tree = Map<string, Tree | number>

/** Names enter as JSON strings: data, whatever they contain. */
function bodyOf(fields: SelectedField[], decoders: Decoder[], joins: Joins): string | undefined {
  const tree = treeOf(fields)
  if (!tree) return undefined
  const values = decoders.map((decoder, i) =>
    passesOn(decoder) ? `const v${i}=r[${i}];` : `let v${i}=r[${i}];v${i}=v${i}===null?null:d[${i}].mapFromDriverValue(v${i});`,
  )
  const row = literal(tree, joins ? nullable(fields, joins) : new Map<string, number>())
  return `const n=rows.length,out=new Array(n);for(let i=0;i<n;i++){const r=rows[i];${values.join('')}out[i]=${row}}return out`
}

/** The selection's objects. Names that every object has from its prototype mean something else to Drizzle. */
function treeOf(fields: SelectedField[]): Tree | undefined {
  const tree: Tree = new Map()
  for (const [column, { path }] of fields.entries()) {
    if (path.some((name) => name in Object.prototype)) return undefined
    let node = tree
    for (const name of path.slice(0, -1)) {
      const next = node.get(name) ?? new Map<string, Tree | number>()
      if (typeof next === 'number') return undefined
      node.set(name, next)
      node = next
    }
    const last = path.at(-1)!
    if (node.has(last)) return undefined
    node.set(last, column)
  }
  return tree
}

function literal(tree: Tree, nullable: Map<string, number>): string {
  const parts: string[] = []
  for (const [name, node] of tree) {
    const value = typeof node === 'number' ? `v${node}` : literal(node, none)
    const decisive = nullable.get(name)
    parts.push(`${JSON.stringify(name)}:${decisive === undefined ? value : `v${decisive}===null?null:${value}`}`)
  }
  return `{${parts.join(',')}}`
}

const none = new Map<string, number>()

/** The objects that are null when their table has no row in a join, each with the column that tells: its first, if all are of one table. */
function nullable(fields: SelectedField[], joins: Record<string, boolean>): Map<string, number> {
  const first = new Map<string, { column: number; table: string | undefined }>()
  for (const [column, { path, field }] of fields.entries()) {
    if (path.length !== 2 || !is(field, Column)) continue
    const table = getTableName(field.table)
    const known = first.get(path[0]!)
    if (!known) first.set(path[0]!, { column, table })
    else if (known.table !== table) known.table = undefined
  }
  const columns = new Map<string, number>()
  for (const [name, { column, table }] of first) if (table !== undefined && !joins[table]) columns.set(name, column)
  return columns
}
