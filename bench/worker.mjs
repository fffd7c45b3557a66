/**
 * One driver in one scenario, in a process of its own: `worker.mjs <driver> <scenario>`. It connects, shows its rows, warms up, then
 * measures whenever it is told to and is idle otherwise.
 */

import { answer } from './child.mjs'
import { canonical, digest } from './digest.mjs'
import { loadDriver } from './drivers/index.mjs'
import { runCallers, timeEach } from './load.mjs'
import { startMeter } from './meter.mjs'
import { scenarios } from './scenarios/index.mjs'
import { quantile } from './statistics.mjs'

const [driverName, scenarioName] = process.argv.slice(2)
const found = scenarios.find(({ name }) => name === scenarioName)?.query
if (!found) throw new Error(`${scenarioName} sends no queries`)
const query = found

/** @type {import('./drivers/index.mjs').Pool} */
let pool
/** @type {import('./drivers/index.mjs').Statement} */
let statement

async function checkedRows() {
  const rows = []
  for (const values of query.check) rows.push(...pool.rows(await statement(values)))
  return rows
}

/** @param {number} millis */
const load = (millis) => runCallers({ statement, values: query.values, callers: query.callers, millis })

answer({
  /** @param {{ address: import('./drivers/index.mjs').Address, max: number }} settings */
  async connect({ address, max }) {
    const driver = await loadDriver(driverName)
    pool = driver.open(address, max)
    statement = query.prepare ? await query.prepare(driverName, pool) : pool.statement(query.text)
  },

  /** A fingerprint of the results that all drivers must agree on. */
  check: async () => digest(await checkedRows()),

  /** The same results in full, for when they do not. */
  describe: async () => (await checkedRows()).map(canonical),

  /** @param {{ millis: number }} duration */
  async warmUp({ millis }) {
    await load(millis)
  },

  /**
   * @param {{ settleMillis: number, millis: number }} durations
   * @returns {Promise<Record<string, number | null>>} one value per column of the report
   */
  async measure({ settleMillis, millis }) {
    await load(settleMillis)
    const stop = startMeter()
    const latencies = query.callers === 1 ? await timeEach({ statement, values: query.values, millis }) : undefined
    const answered = latencies?.length ?? (await load(millis))
    const cost = stop()
    const each = 1_000 / answered
    return {
      ...(latencies && { latencyMicros: quantile(latencies, 0.5) * 1_000, p99Micros: quantile(latencies, 0.99) * 1_000 }),
      perSecond: (answered / cost.elapsedMillis) * 1_000,
      activeMicros: cost.activeMillis * each,
      threadMicros: cost.threadMillis === null ? null : cost.threadMillis * each,
      processMicros: cost.processMillis * each,
    }
  },

  /** Peak resident memory of this process so far, in bytes. */
  peakMemory: () => process.resourceUsage().maxRSS * 1_024,

  stop: () => pool?.end(),
})
