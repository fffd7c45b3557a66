/** Options and environment as JSON, as they cross to Rust, which reads and checks them (src/config). */

import { numberOf } from '../auth/functions.js'

/** More than any configuration has: what goes on for ever (a proxy that invents members) ends here. */
const MAX_DEPTH = 32
const MAX_VALUES = 100_000

/** Options as JSON, whole: Rust knows which it reads. What JSON has no form for crosses as a marker, so that Rust can name it in an error. */
export function encodeOptions(options: unknown): string {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) return 'null'
  try {
    const above: unknown[] = [options]
    const left = { values: MAX_VALUES }
    // A pool's own options hide their secrets from enumeration; another pool and getToken() can be given them all the same.
    return JSON.stringify(Object.fromEntries(Object.getOwnPropertyNames(options).map((name) => [name, readable(options, name, above, left)])))
  } catch {
    // A proxy that does not tell its members.
    return 'null'
  }
}

/** A member as a value that JSON has a form for, whatever it is: reading it must not throw. */
function readable(holder: object, name: string, above: unknown[], left: { values: number }): unknown {
  try {
    return plain((holder as Record<string, unknown>)[name], name, above, left)
  } catch {
    return { $unreadable: 'throws' }
  }
}

function plain(value: unknown, name: string, above: unknown[], left: { values: number }): unknown {
  switch (typeof value) {
    case 'function':
      return { $function: true, number: numberOf(value as () => unknown) }
    case 'symbol':
      return { $unreadable: 'symbol' }
    case 'bigint':
      return value.toString()
    case 'number':
      if (Number.isFinite(value)) return value
      // "Unlimited", written as pg-pool's own default is.
      return name === 'maxUses' && value === Infinity ? undefined : { $number: String(value) }
    case 'object':
      break
    default:
      return value
  }
  if (value === null) return null
  if (above.includes(value)) return { $unreadable: 'circular' }
  if (above.length > MAX_DEPTH || left.values-- <= 0) return { $unreadable: 'endless' }
  const below = [...above, value]
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function' && !Buffer.isBuffer(value)) return plain(toJSON.call(value, name), name, below, left)
  if (value instanceof String || value instanceof Number || value instanceof Boolean) return plain(value.valueOf(), name, below, left)
  const text = binary(value)
  if (text !== undefined) return text
  if (Array.isArray(value)) return Array.from(value, (_, index) => readable(value, String(index), below, left))
  return Object.fromEntries(Object.keys(value).map((member) => [member, readable(value, member, below, left)]))
}

/** PEM texts may come as buffers, or in the form that JSON gives those. */
function binary(value: object): string | undefined {
  if (Buffer.isBuffer(value)) return value.toString('utf8')
  const { type, data } = value as { type?: unknown; data?: unknown }
  return type === 'Buffer' && Array.isArray(data) ? Buffer.from(data as number[]).toString('utf8') : undefined
}

/** The environment as JSON: Rust picks the variables it knows. */
export function environmentVariables(): string {
  return JSON.stringify(process.env)
}
