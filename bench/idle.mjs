/**
 * A fresh process that loads a driver, opens a pool and lets it be idle after one query. Prints what loading took, in milliseconds, and its
 * resident memory, in megabytes. Without a driver it is the bare process that the others are compared with.
 *   node --expose-gc bench/idle.mjs [driver]
 */

import { writeSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { loadDriver, packageOf } from './drivers/index.mjs'

/** Long enough for what a driver and V8 put off to be done. */
const SETTLED_MILLIS = 500

const [driver] = process.argv.slice(2)
let importMillis = 0
let pool
if (driver) {
  const began = performance.now()
  await import(packageOf(driver))
  importMillis = performance.now() - began
  const { open } = await loadDriver(driver)
  pool = open(JSON.parse(process.env.BENCH_ADDRESS ?? ''), 10)
  await pool.statement('SELECT 1')([])
}
globalThis.gc?.()
await sleep(SETTLED_MILLIS)
globalThis.gc?.()
const megabytes = process.memoryUsage.rss() / 1e6
await pool?.end()
writeSync(1, JSON.stringify({ importMillis, megabytes }))
