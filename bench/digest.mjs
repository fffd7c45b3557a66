/** A fingerprint of rows that is equal only if every name, type and value is, in order. */

import { createHash } from 'node:crypto'

/** @param {Record<string, unknown>[]} rows */
export function digest(rows) {
  const hash = createHash('sha256')
  for (const row of rows) hash.update(canonical(row)).update('\n')
  return hash.digest('hex')
}

/**
 * JSON with the type of what JSON would blur, so that a Date and its text, or `1` and `"1"`, differ.
 * @param {unknown} value
 * @returns {string}
 */
export function canonical(value) {
  if (value === null) return 'null'
  if (value instanceof Date) return `Date(${value.getTime()})`
  if (Buffer.isBuffer(value)) return `Buffer(${value.toString('hex')})`
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value === 'object') {
    return `{${Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join()}}`
  }
  return typeof value === 'string' ? JSON.stringify(value) : `${typeof value}(${value})`
}
