/** The command line of `node bench/index.mjs`. */

import { parseArgs } from 'node:util'
import { defaultDriverNames, driverNames } from './drivers/index.mjs'
import { scenarios } from './scenarios/index.mjs'

/**
 * @typedef {object} Options
 * @property {import('./scenarios/index.mjs').Scenario[]} scenarios what to measure, in the order it is measured
 * @property {string[]} drivers whom to measure
 * @property {number} runs interleaved rounds per scenario
 * @property {number} seconds measured time per driver and round
 * @property {number} warmUpSeconds unmeasured load before the first round
 * @property {number} settleSeconds unmeasured load at the start of every round
 * @property {number} coldSamples fresh processes per driver and round-trip time
 * @property {boolean} quick a smoke run: it shows that the harness works, its figures mean nothing
 * @property {string | undefined} json where to write every sample
 */

export const usage = `node bench/index.mjs [scenario…] [options]

  --runs N         interleaved rounds per scenario (default 5)
  --seconds S      measured seconds per driver and round (default 3)
  --drivers A,B    of ${driverNames.join(', ')} (default: all but pg-named)
  --json FILE      write every sample, the environment and the verdicts
  --quick          smoke run of the harness in under a minute; its figures mean nothing

Scenarios (a prefix such as "rows" selects all of its kind):
${scenarios.map(({ name, title }) => `  ${name.padEnd(16)} ${title}`).join('\n')}
`

/**
 * @param {string[]} args
 * @returns {Options | undefined} nothing when the caller asked for help
 */
export function parseOptions(args) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      runs: { type: 'string' },
      seconds: { type: 'string' },
      drivers: { type: 'string' },
      json: { type: 'string' },
      quick: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return undefined
  const quick = values.quick
  const runs = Math.ceil(positive('--runs', values.runs ?? (quick ? '1' : '5')))
  return {
    scenarios: selectScenarios(positionals, quick),
    drivers: selectDrivers(values.drivers),
    runs,
    seconds: positive('--seconds', values.seconds ?? (quick ? '0.3' : '3')),
    warmUpSeconds: quick ? 0.2 : 2,
    settleSeconds: quick ? 0.05 : 0.3,
    coldSamples: quick ? 1 : Math.max(15, runs),
    quick,
    json: values.json,
  }
}

/**
 * @param {string} option
 * @param {string} text
 */
function positive(option, text) {
  const number = Number(text)
  if (Number.isFinite(number) && number > 0) return number
  throw new TypeError(`${option}: expected a number above 0, found ${JSON.stringify(text)}`)
}

/**
 * @param {string[]} names
 * @param {boolean} quick
 */
function selectScenarios(names, quick) {
  if (names.length === 0) return scenarios.filter((scenario) => !(quick && scenario.notQuick))
  /** @param {string} name */
  const matches = (name) => scenarios.filter((scenario) => scenario.name === name || scenario.name.startsWith(`${name}-`))
  for (const name of names) {
    if (matches(name).length === 0) {
      throw new TypeError(`no scenario ${JSON.stringify(name)}; there are ${scenarios.map((scenario) => scenario.name).join(', ')}`)
    }
  }
  const selected = new Set(names.flatMap(matches))
  return scenarios.filter((scenario) => selected.has(scenario))
}

/** @param {string | undefined} list */
function selectDrivers(list) {
  if (list === undefined) return defaultDriverNames
  const names = list.split(',').map((name) => name.trim())
  for (const name of names) {
    if (!driverNames.includes(name)) throw new TypeError(`no driver ${JSON.stringify(name)}; there are ${driverNames.join(', ')}`)
  }
  return names
}
