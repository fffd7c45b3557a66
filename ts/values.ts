/** JavaScript values as parameters, by node-postgres' rules. */

import { deprecate, types as typeChecks } from 'node:util'
import { defaults } from './defaults.js'
import type { WireValue } from './native.js'

/** An object that says itself what it is to PostgreSQL. */
interface ToPostgres {
  toPostgres(prepareValue: (value: unknown, seen: unknown) => unknown): unknown
}

/**
 * What a value is on the wire: text, bytes or null.
 *
 * `null` and `undefined` are NULL; a `Date` is its local time with offset; a `Buffer` or another view is bytes; an array is an array
 * literal; an object with `toPostgres` is what that returns; any other object is JSON; everything else is its `toString()`.
 */
export function prepareValue(value: unknown): WireValue {
  return prepare(value)
}

/** All values of a query. Throws what a value's own `toPostgres`, `toJSON` or `toString` throws. */
export function prepareValues(values: readonly unknown[]): WireValue[] {
  const prepared = new Array<WireValue>(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    prepared[i] = typeof value === 'string' ? value : prepare(value)
  }
  return prepared
}

function prepare(value: unknown, seen?: object[]): WireValue {
  if (value === null || value === undefined) return null
  if (typeof value !== 'object') return String((value as { toString(): string }).toString())
  if (ArrayBuffer.isView(value)) return asBuffer(value)
  if (typeChecks.isDate(value)) return timeText(value)
  if (Array.isArray(value)) return arrayLiteral(value)
  if (typeof (value as Partial<ToPostgres>).toPostgres === 'function') return converted(value as ToPostgres, seen ?? [])
  // JSON.stringify gives undefined for an object whose toJSON does; that is no text.
  return JSON.stringify(value) ?? null
}

function asBuffer(view: ArrayBufferView): Buffer {
  return Buffer.isBuffer(view) ? view : Buffer.from(view.buffer, view.byteOffset, view.byteLength)
}

function converted(value: ToPostgres, seen: object[]): WireValue {
  if (seen.includes(value)) {
    throw new Error(`circular reference detected while preparing "${String(value)}" for query`)
  }
  const path = [...seen, value]
  return prepare(value.toPostgres(prepareNested), path)
}

/** What `toPostgres` is given: its second argument is the objects that are being converted. */
function prepareNested(value: unknown, seen: unknown): unknown {
  return prepare(value, Array.isArray(seen) ? (seen as object[]) : undefined)
}

/** `{1,"two",NULL,{3}}`. Elements are separated by commas, so types with another separator (`box`) need a text of their own. */
function arrayLiteral(array: readonly unknown[]): string {
  // Not map(), which leaves holes out.
  const elements = Array.from(array, (element) => {
    if (element === null || element === undefined) return 'NULL'
    if (Array.isArray(element)) return arrayLiteral(element)
    if (ArrayBuffer.isView(element)) return `\\\\x${asBuffer(element).toString('hex')}`
    return quoted(prepare(element) as string)
  })
  return `{${elements.join(',')}}`
}

function quoted(element: string): string {
  return `"${element.replace(/\\/g, '\\\\').replace(/"/g, '\\"')}"`
}

const warnOfInvalidDate = deprecate(
  () => {},
  'Sending an invalid date to Postgres is deprecated and will throw an error in the next major version of pg. Ensure any Date object passed as a query parameter is valid.',
  'PG_INVALID_DATE',
)

function timeText(date: Date): string {
  if (Number.isNaN(date.getTime())) warnOfInvalidDate()
  return defaults.parseInputDatesAsUTC ? utcTime(date) : localTime(date)
}

const digits = (value: number, count: number): string => String(value).padStart(count, '0')

/** PostgreSQL has no year 0: 1 BC is year 0 here. */
function dateParts(year: number, rest: string, offset: string): string {
  return year < 1 ? `${digits(Math.abs(year) + 1, 4)}${rest}${offset} BC` : `${digits(year, 4)}${rest}${offset}`
}

function localTime(date: Date): string {
  const minutes = -date.getTimezoneOffset()
  const distance = Math.abs(minutes)
  const offset = `${minutes < 0 ? '-' : '+'}${digits(Math.floor(distance / 60), 2)}:${digits(distance % 60, 2)}`
  const day = `-${digits(date.getMonth() + 1, 2)}-${digits(date.getDate(), 2)}`
  const time = `T${digits(date.getHours(), 2)}:${digits(date.getMinutes(), 2)}:${digits(date.getSeconds(), 2)}`
  return dateParts(date.getFullYear(), `${day}${time}.${digits(date.getMilliseconds(), 3)}`, offset)
}

function utcTime(date: Date): string {
  const day = `-${digits(date.getUTCMonth() + 1, 2)}-${digits(date.getUTCDate(), 2)}`
  const time = `T${digits(date.getUTCHours(), 2)}:${digits(date.getUTCMinutes(), 2)}:${digits(date.getUTCSeconds(), 2)}`
  return dateParts(date.getUTCFullYear(), `${day}${time}.${digits(date.getUTCMilliseconds(), 3)}`, '+00:00')
}
