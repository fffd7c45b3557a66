// node:test with a bound on every test, so that what hangs fails.
import { test as define } from 'node:test'

const BOUND_MILLIS = 120_000

export function test(name, options, run = options) {
  return define(name, { timeout: BOUND_MILLIS, ...(run === options ? {} : options) }, run)
}
