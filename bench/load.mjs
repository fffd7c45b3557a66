/**
 * A closed loop: each caller sends its next query when the last one has answered. Right for throughput at a stated concurrency and
 * for the service time of one query at a time; it says nothing about response times at a given arrival rate, because a slow answer
 * delays the queries behind it instead of queueing them (coordinated omission). So the bench prints no percentiles under load.
 */

import { performance } from 'node:perf_hooks'

/**
 * Runs `statement` from `callers` callers for about `millis`, and until the last of them has its answer.
 * @param {object} work
 * @param {import('./drivers/index.mjs').Statement} work.statement
 * @param {(n: number) => unknown[]} work.values parameters of the n-th query; the same sequence for every driver
 * @param {number} work.callers
 * @param {number} work.millis
 * @returns {Promise<number>} queries answered
 */
export async function runCallers({ statement, values, callers, millis }) {
  let answered = 0
  let running = true
  // A timer instead of a look at the clock before every query: nothing but the driver is on the measured path.
  const timer = setTimeout(() => (running = false), millis)
  /** @param {number} n */
  const caller = async (n) => {
    for (; running; n += callers) {
      await statement(values(n))
      answered++
    }
  }
  try {
    await Promise.all(Array.from({ length: callers }, (_, first) => caller(first)))
  } finally {
    running = false
    clearTimeout(timer)
  }
  return answered
}

/**
 * Runs `statement` one at a time for `millis` and times each.
 * @param {object} work
 * @param {import('./drivers/index.mjs').Statement} work.statement
 * @param {(n: number) => unknown[]} work.values
 * @param {number} work.millis
 * @returns {Promise<number[]>} milliseconds of every query
 */
export async function timeEach({ statement, values, millis }) {
  /** @type {number[]} */
  const latencies = []
  const deadline = performance.now() + millis
  for (let n = 0, before = performance.now(); before < deadline; n++) {
    await statement(values(n))
    const after = performance.now()
    latencies.push(after - before)
    before = after
  }
  return latencies
}
