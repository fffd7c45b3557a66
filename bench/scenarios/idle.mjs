/** What a driver costs a process that hardly uses it: time to load, memory while its pool is idle. */

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { plainEnvironment } from '../child.mjs'

const run = promisify(execFile)
const program = fileURLToPath(new URL('../idle.mjs', import.meta.url))
const SAMPLES = 15
const QUICK_SAMPLES = 3

/**
 * @param {import('../drivers/index.mjs').Address} address
 * @param {string[]} drivers one, or none for the bare process
 * @returns {Promise<{ importMillis: number, megabytes: number }>}
 */
async function sample(address, ...drivers) {
  const env = plainEnvironment({ BENCH_ADDRESS: JSON.stringify(address) })
  const { stdout } = await run(process.execPath, ['--expose-gc', program, ...drivers], { env })
  return JSON.parse(stdout)
}

/**
 * @param {import('../rounds.mjs').Context} context
 * @returns {Promise<import('../report.mjs').Section>}
 */
async function measure({ options, skipped, postgres, progress }) {
  const { address } = /** @type {import('../postgres.mjs').Postgres} */ (postgres)
  const names = options.drivers.filter((name) => name !== 'pg-named')
  /** @type {{ name: string, skipped: string | undefined, samples: Record<string, number[]> }[]} */
  const drivers = names.map((name) => ({ name, skipped: skipped.get(name), samples: { importMillis: [], idleMegabytes: [] } }))
  const rounds = options.quick ? QUICK_SAMPLES : SAMPLES
  // One unmeasured process each: the files are in the page cache afterwards.
  for (const { name, skipped: reason } of drivers) if (!reason) await sample(address, name)
  for (let round = 1; round <= rounds; round++) {
    const bare = await sample(address)
    for (const { name, skipped: reason, samples } of drivers) {
      if (reason) continue
      const { importMillis, megabytes } = await sample(address, name)
      samples.importMillis.push(importMillis)
      samples.idleMegabytes.push(megabytes - bare.megabytes)
    }
    progress(`loading and idle memory ${round}/${rounds}`)
  }
  return {
    name: 'idle',
    title: 'Loading a driver, and an idle pool after one query',
    notes: [
      'Each sample is a process of its own. Memory is resident memory beyond that of a bare Node.js, after a collection of garbage.',
      'As in an app that has pg, too, ours uses the pg-types of that app; without it the copy within the package is loaded, which is faster and smaller.',
    ],
    columns: [
      { key: 'importMillis', label: 'import ms', spread: true, ratio: true },
      { key: 'idleMegabytes', label: 'idle pool MB', spread: true, ratio: true },
    ],
    drivers,
    base: 'pg',
    targets: [
      { column: 'importMillis', atMost: 12 },
      { column: 'idleMegabytes', atMost: 10 },
    ],
  }
}

/** @type {import('./index.mjs').Scenario} */
export default { name: 'idle', title: 'Time to load a driver, memory of an idle pool', needsPostgres: true, run: measure }
