/** What a stretch of work cost this process. Three clocks, because each one lies in a different way. */

import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'

/**
 * @typedef {object} Cost
 * @property {number} elapsedMillis wall-clock time
 * @property {number} activeMillis time the event loop did not wait for events (`performance.eventLoopUtilization`); on a machine
 *   short of cores it includes time the thread was ready but not running
 * @property {number | null} threadMillis CPU time of the JavaScript thread, from the kernel; `null` where /proc does not tell
 * @property {number} processMillis CPU time of all threads of the process, a native core's included
 */

/** CPU time of the main thread, in nanoseconds (first field of schedstat, `Documentation/scheduler/sched-stats.rst`). */
function threadNanos() {
  try {
    const nanos = Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0])
    return nanos > 0 ? nanos : null
  } catch {
    return null
  }
}

/**
 * Starts the clocks.
 * @returns {() => Cost} stops them
 */
export function startMeter() {
  const threadBefore = threadNanos()
  const processBefore = process.cpuUsage()
  const loopBefore = performance.eventLoopUtilization()
  const startedAt = performance.now()
  return () => {
    const elapsedMillis = performance.now() - startedAt
    const { active } = performance.eventLoopUtilization(loopBefore)
    const { user, system } = process.cpuUsage(processBefore)
    const threadAfter = threadNanos()
    return {
      elapsedMillis,
      activeMillis: active,
      threadMillis: threadBefore === null || threadAfter === null ? null : (threadAfter - threadBefore) / 1e6,
      processMillis: (user + system) / 1e3,
    }
  }
}
