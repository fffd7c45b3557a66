/** Compares lakebase-native with its neighbours: `node bench/index.mjs --help`. */

import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { loadDriver } from './drivers/index.mjs'
import { describeEnvironment, renderEnvironment } from './environment.mjs'
import { parseOptions, usage } from './options.mjs'
import { describeServer, startPostgres } from './postgres.mjs'
import { renderSection, toJson } from './report.mjs'
import { releaseAll, releaseOnSignal } from './resources.mjs'
import { compare } from './rounds.mjs'
import { createTables } from './tables.mjs'

/** @param {import('./options.mjs').Options} options */
async function run(options) {
  const environment = describeEnvironment()

  /** @type {Map<string, string>} */
  const skipped = new Map()
  if (options.drivers.includes('ours')) {
    await loadDriver('ours').catch((error) => skipped.set('ours', error.message))
  }

  const postgres = options.scenarios.some(({ query, needsPostgres }) => query || needsPostgres) ? await startPostgres() : undefined
  if (postgres) {
    await createTables(postgres.admin)
    environment.postgres = await describeServer(postgres.admin)
  }
  console.log(renderEnvironment(environment, options))

  /** @param {string} text */
  const progress = (text) => process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`)
  const context = { options, skipped, progress, postgres }

  /** @type {import('./report.mjs').Section[]} */
  const sections = []
  for (const scenario of options.scenarios) {
    const { query } = scenario
    const measured = query && postgres ? await compare({ ...scenario, query }, postgres, context) : await scenario.run?.(context)
    if (process.stderr.isTTY) progress('')
    if (!measured) continue
    console.log(renderSection(measured))
    sections.push(measured)
  }
  if (options.json) {
    await mkdir(dirname(resolve(options.json)), { recursive: true })
    await writeFile(options.json, `${toJson(environment, sections)}\n`)
  }
}

/** @param {string[]} args */
function readOptions(args) {
  try {
    return parseOptions(args)
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n`)
    console.error(usage)
    process.exit(2)
  }
}

const options = readOptions(process.argv.slice(2))
if (!options) {
  console.log(usage)
  process.exit()
}
releaseOnSignal()
try {
  await run(options)
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await releaseAll()
}
