/** From nothing to the first row: a fresh process, OAuth M2M, a new connection. */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { fileURLToPath } from 'node:url'
import { Child, plainEnvironment } from '../child.mjs'
import { hold } from '../resources.mjs'
import { median } from '../statistics.mjs'

const ROUND_TRIPS_MILLIS = [0, 20, 80]
const TIMEOUT_MILLIS = 30_000

/** Programs in cold-start/, by name. The cookbook's is what an application writes around pg by hand. */
const programs = { ours: undefined, lakebase: undefined, cookbook: 'pg + fetch (cookbook)' }

/**
 * Milliseconds from just before the process is spawned until its first row.
 * @param {string} program
 * @param {Record<string, string>} environment
 */
async function sample(program, environment) {
  const file = fileURLToPath(new URL(`../cold-start/${program}.mjs`, import.meta.url))
  const spawnedAt = performance.now()
  const child = spawn(process.execPath, [file], { env: plainEnvironment(environment), stdio: ['ignore', 'pipe', 'pipe'] })
  const killed = hold(() => child.kill('SIGKILL'))
  const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MILLIS)
  let errors = ''
  let firstRowAt = NaN
  child.stderr.on('data', (chunk) => (errors += chunk))
  child.stdout.once('data', () => (firstRowAt = performance.now()))
  // The next sample starts when this one has closed its connection and left the machine alone.
  const [code, signal] = await once(child, 'close')
  clearTimeout(timer)
  await killed()
  if (code !== 0 || Number.isNaN(firstRowAt)) {
    throw new Error(`cold-start/${program}.mjs failed (${signal ? `${signal}, no end after ${TIMEOUT_MILLIS} ms` : `code ${code}`}):\n${errors.trim()}`)
  }
  return firstRowAt - spawnedAt
}

/**
 * @param {import('../rounds.mjs').Context} context
 * @returns {Promise<import('../report.mjs').Section>}
 */
async function run({ options, skipped, progress }) {
  const names = Object.keys(programs).filter((name) => options.drivers.includes(name === 'cookbook' ? 'pg' : name))
  const reasons = new Map(skipped)
  const emulatorEntry = await import('lakebase-native/emulator').catch((error) => error)
  if (!('startEmulator' in emulatorEntry)) {
    for (const name of names) reasons.set(name, 'lakebase-native/emulator exports no startEmulator; run `npm run build` first')
  }
  const measured = names.filter((name) => !reasons.has(name))
  /** @type {Record<string, Record<string, number[]>>} */
  const samples = Object.fromEntries(names.map((name) => [name, {}]))

  for (const latencyMillis of measured.length > 0 ? ROUND_TRIPS_MILLIS : []) {
    const emulator = new Child('cold-start/emulator.mjs')
    const stop = hold(() => emulator.stop())
    const environment = await emulator.call('start', { latencyMillis })
    // One unmeasured process each: the files are in the page cache afterwards, the emulator's code is hot.
    for (const name of options.quick ? [] : measured) await sample(name, environment)
    for (const name of measured) samples[name][`at${latencyMillis}`] = []
    for (let round = 1; round <= options.coldSamples; round++) {
      for (const name of measured) {
        const millis = await sample(name, environment)
        samples[name][`at${latencyMillis}`].push(millis)
        progress(`cold start at ${latencyMillis} ms ${round}/${options.coldSamples} ${name} ${Math.round(millis)} ms`)
      }
    }
    await stop()
  }
  const [fastest, slowest] = [Math.min(...ROUND_TRIPS_MILLIS), Math.max(...ROUND_TRIPS_MILLIS)]
  for (const name of measured) {
    const extra = median(samples[name][`at${slowest}`]) - median(samples[name][`at${fastest}`])
    samples[name].roundTrips = [extra / (slowest - fastest)]
  }

  return {
    name: 'cold-start',
    title: 'Cold start: process spawn to first row, OAuth M2M, against the emulator',
    notes: [
      `Round trips one after another: (time at ${slowest} ms − time at ${fastest} ms) / ${slowest - fastest} ms.`,
      '@databricks/lakebase does not verify the certificate of its API calls; the others do.',
    ],
    columns: [
      ...ROUND_TRIPS_MILLIS.map((millis) => ({ key: `at${millis}`, label: `ms at ${millis} ms`, spread: true, ratio: true })),
      { key: 'roundTrips', label: 'round trips' },
    ],
    drivers: names.map((name) => ({
      name,
      label: programs[/** @type {keyof typeof programs} */ (name)],
      skipped: reasons.get(name),
      samples: samples[name],
    })),
    base: 'lakebase',
    targets: [
      ...ROUND_TRIPS_MILLIS.map((millis) => ({ column: `at${millis}`, against: 'lakebase', atMost: 1 / 3, text: '1/3' })),
      { column: 'roundTrips', atMost: 6 },
    ],
  }
}

/** @type {import('./index.mjs').Scenario} */
export default { name: 'cold-start', title: 'Process spawn to first row at 0, 20 and 80 ms round-trip time, OAuth M2M', run }
