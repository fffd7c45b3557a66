/** Where and with what a run was made. A figure without this is worth nothing. */

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'
import { fileURLToPath } from 'node:url'
import { driverNames, packageOf } from './drivers/index.mjs'

/**
 * @typedef {object} Environment
 * @property {string} date
 * @property {string} commit
 * @property {string} cpu
 * @property {number} cores
 * @property {number} memoryGigabytes
 * @property {string} system
 * @property {number} loadBefore one-minute load average when the run began
 * @property {string} node
 * @property {string} openssl
 * @property {string | null} postgres version and settings; `null` when no scenario needed it
 * @property {Record<string, string>} packages
 */

export const root = fileURLToPath(new URL('..', import.meta.url))

/** @param {string} name */
export function installedVersion(name) {
  const file = name === 'lakebase-native' ? 'package.json' : `node_modules/${name}/package.json`
  return /** @type {string} */ (JSON.parse(readFileSync(`${root}/${file}`, 'utf8')).version)
}

function commit() {
  try {
    /** @param {string[]} args */
    const git = (args) => execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return git(['rev-parse', '--short', 'HEAD']) + (git(['status', '--porcelain', '--untracked-files=no']) ? ' with changes' : '')
  } catch {
    return 'not a git checkout'
  }
}

/** @returns {Environment} */
export function describeEnvironment() {
  return {
    date: new Date().toISOString(),
    commit: commit(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release()} ${process.arch}`,
    loadBefore: loadavg()[0],
    node: process.version,
    openssl: process.versions.openssl,
    postgres: null,
    packages: Object.fromEntries([...new Set(driverNames.map(packageOf))].map((name) => [name, installedVersion(name)])),
  }
}

/**
 * @param {Environment} environment
 * @param {import('./options.mjs').Options} options
 */
export function renderEnvironment(environment, { runs, seconds, settleSeconds, coldSamples, quick }) {
  const { date, commit, cpu, cores, memoryGigabytes, system, loadBefore, node, openssl, postgres } = environment
  const packages = Object.entries(environment.packages).map(([name, version]) => `${name} ${version}`)
  const lines = [
    `lakebase-native bench, ${date}, commit ${commit}`,
    `  ${cpu}, ${cores} cores, ${memoryGigabytes} GB, ${system}`,
    `  Node ${node} (OpenSSL ${openssl})${postgres ? `, ${postgres}` : ''}`,
    `  ${packages.join(', ')}`,
    `  ${runs} interleaved rounds of ${seconds} s after ${settleSeconds} s of load; cold start ${coldSamples} processes each.`,
    '  Value: median of the rounds [lowest–highest]. "× pg": median of the ratios within each round.',
    '  TLS with verified certificates throughout, pools of 10.',
    '  JS thread: event loop not idle (performance.eventLoopUtilization); beside it what the kernel charged to that thread.',
  ]
  if (loadBefore > cores / 4) lines.push(`  The machine was busy before the run (load ${loadBefore.toFixed(1)}): do not quote these figures.`)
  if (quick) lines.push('  --quick: this shows that the harness works. Do not quote these figures.')
  return `${lines.join('\n')}\n`
}
