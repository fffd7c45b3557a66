/** Turns samples into tables for people and JSON for machines. */

import { labelOf as driverLabel } from './drivers/index.mjs'
import { median, pairedRatio } from './statistics.mjs'

/**
 * @typedef {object} Column
 * @property {string} key
 * @property {string} label
 * @property {boolean} [spread] print the lowest and the highest round beside the median
 * @property {boolean} [ratio] print how many times the base's value it is
 *
 * @typedef {object} Measured
 * @property {string} name
 * @property {string} [label] what it is called, when it is not a driver
 * @property {string} [skipped] why there are no samples
 * @property {Record<string, number[]>} samples one value per round, by column
 *
 * @typedef {object} Section
 * @property {string} name
 * @property {string} title
 * @property {string[]} notes
 * @property {Column[]} columns
 * @property {Measured[]} drivers
 * @property {string} base the driver that ratios are relative to
 * @property {import('./scenarios/index.mjs').Target[]} targets
 *
 * @typedef {object} Verdict
 * @property {string} target
 * @property {number | null} found `null` when one side was not measured
 * @property {boolean | null} met
 */

/** @param {number} ratio */
const formatRatio = (ratio) => (Number.isFinite(ratio) ? ratio.toFixed(2) : '-')

/** @param {number} value */
function formatNumber(value) {
  if (!Number.isFinite(value)) return '-'
  if (Number.isInteger(value)) return value.toLocaleString('en')
  const size = Math.abs(value)
  const digits = size >= 100 ? 0 : size >= 10 ? 1 : 2
  return value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** @param {Measured} measured */
const labelOf = ({ name, label }) => label ?? driverLabel(name)

/**
 * Whether ours reached what issue 2 asks for.
 * @param {Section} section
 * @returns {Verdict[]}
 */
export function judge({ columns, drivers, targets }) {
  /** @param {string} name @param {string} column */
  const samplesOf = (name, column) => drivers.find((driver) => driver.name === name)?.samples[column] ?? []
  return targets.map(({ column, against, atLeast, atMost, text }) => {
    const label = columns.find(({ key }) => key === column)?.label ?? column
    const bound = text ?? String(atLeast ?? atMost)
    const other = against && drivers.find(({ name }) => name === against)
    const times = against === undefined ? '' : ` × ${other ? labelOf(other) : against}`
    const ours = samplesOf('ours', column)
    const found = against === undefined ? median(ours) : pairedRatio(ours, samplesOf(against, column))
    const met = found >= (atLeast ?? -Infinity) && found <= (atMost ?? Infinity)
    const measured = Number.isFinite(found)
    return {
      target: `ours: ${label} ${atLeast === undefined ? '≤' : '≥'} ${bound}${times}`,
      found: measured ? found : null,
      met: measured ? met : null,
    }
  })
}

/**
 * @param {Section} section
 * @returns {string}
 */
export function renderSection(section) {
  const { title, notes, columns, drivers, base } = section
  const baseSamples = drivers.find(({ name }) => name === base)?.samples ?? {}
  const showsRatios = Object.keys(baseSamples).length > 0
  const table = [['', ...columns.flatMap(({ label, ratio }) => [label, ...(ratio && showsRatios ? [`× ${base}`] : [])])]]
  for (const driver of drivers) {
    if (driver.skipped !== undefined) continue
    const cells = columns.flatMap(({ key, spread, ratio }) => {
      const samples = driver.samples[key] ?? []
      const middle = formatNumber(median(samples))
      const range = `[${formatNumber(Math.min(...samples))}–${formatNumber(Math.max(...samples))}]`
      return [spread && samples.length > 1 ? `${middle} ${range}` : middle, ...(ratio && showsRatios ? [formatRatio(pairedRatio(samples, baseSamples[key] ?? []))] : [])]
    })
    table.push([labelOf(driver), ...cells])
  }
  const lines = [title, ...alignColumns(table).map((line) => `  ${line}`)]
  for (const driver of drivers) {
    if (driver.skipped !== undefined) lines.push(`  ${labelOf(driver)} skipped: ${driver.skipped}`)
  }
  lines.push(...notes.map((note) => `  ${note}`))
  for (const { target, found, met } of judge(section)) {
    const verdict = found === null ? 'not measured' : `${met ? 'met' : 'NOT MET'}, found ${Number(found.toFixed(2))}`
    lines.push(`  target ${target}: ${verdict}`)
  }
  return `${lines.join('\n')}\n`
}

/** @param {string[][]} table */
function alignColumns(table) {
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)))
  return table.map((row) =>
    row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join('   '),
  )
}

/**
 * @param {import('./environment.mjs').Environment} environment
 * @param {Section[]} sections
 */
export const toJson = (environment, sections) =>
  JSON.stringify({ environment, sections: sections.map((section) => ({ ...section, verdicts: judge(section) })) }, null, 2)
