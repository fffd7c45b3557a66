/** Times, sizes and names as people read them, and as they write them in flags. */

import { exitCodes, Failure } from './failure.js'

/** `850 µs`, `12.3 ms`, `4.20 s`, `3 min 5 s`. */
export function showMillis(millis: number): string {
  if (millis < 1) return `${Math.round(millis * 1000)} µs`
  if (millis < 1000) return `${digits(millis)} ms`
  const seconds = millis / 1000
  if (seconds < 60) return `${digits(seconds)} s`
  const whole = Math.round(seconds)
  return whole < 3600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}

/** `999 B`, `12.3 kB`, `4.20 MB`: powers of 1,000. */
export function showBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let unit = 0
  for (; bytes >= 1000 && unit < units.length - 1; unit++) bytes /= 1000
  return `${unit === 0 ? bytes : digits(bytes)} ${units[unit]}`
}

/** Three digits that count. */
const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

/** A text of somebody else's for a terminal: quoted where it is not plain, so that it cannot steer the terminal or look like another line. */
export function showText(text: string): string {
  return /^[\p{L}\p{N}_.@:+/ -]+$/u.test(text) ? text : JSON.stringify(text).replaceAll(/[\u007f-\u009f\u2028-\u202f\u2066-\u2069]/g, '?')
}

const UNITS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, min: 60_000, h: 3_600_000 }

/** A duration of a flag, `250ms`, `90s`, `5m`, `1h`, in milliseconds. */
export function readMillis(flag: string, text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|min|h)$/.exec(text) ?? []
  if (number !== undefined && unit !== undefined) return Number(number) * UNITS[unit]!
  throw new Failure(`${flag} must be a duration such as 250ms, 90s, 5m or 1h, not ${JSON.stringify(text)}`, { exitCode: exitCodes.usage, code: 'USAGE' })
}

/** A whole number of a flag. */
export function readNumber(flag: string, text: string, least: number, most: number): number {
  const number = Number(text)
  if (/^\d+$/.test(text) && number >= least && number <= most) return number
  throw new Failure(`${flag} must be a number from ${least} to ${most}, not ${JSON.stringify(text)}`, { exitCode: exitCodes.usage, code: 'USAGE' })
}
