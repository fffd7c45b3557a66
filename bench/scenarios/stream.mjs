/** A million rows, one after another, in memory that does not grow. */

import { Child } from '../child.mjs'
import { hold } from '../resources.mjs'
import { ROW_COLUMNS, ROW_COUNT } from '../tables.mjs'

const COPIES = 10

/** Ways of streaming, by the name of their worker. */
const ways = { ours: 'client.stream()', 'ours-query-stream': 'pg-query-stream on ours', pg: 'pg-query-stream on pg' }

/**
 * @param {import('../rounds.mjs').Context} context
 * @returns {Promise<import('../report.mjs').Section>}
 */
async function run({ options, skipped, progress, postgres }) {
  if (!postgres) throw new Error('a stream needs PostgreSQL')
  const copies = options.quick ? 1 : COPIES
  const count = copies * ROW_COUNT
  const text = `SELECT ${ROW_COLUMNS} FROM bench_row, generate_series(1, ${copies})`
  const drivers = []
  for (const [name, label] of Object.entries(ways)) {
    const needed = name === 'pg' ? 'pg' : 'ours'
    if (!options.drivers.includes(needed)) continue
    /** @type {Record<string, number[]>} */
    const samples = {}
    drivers.push({ name, label, skipped: skipped.get(needed), samples })
  }
  for (let round = 1; round <= options.runs; round++) {
    for (const { name, samples } of drivers.filter((driver) => driver.skipped === undefined)) {
      const worker = new Child('stream-worker.mjs', [name])
      const stop = hold(() => worker.stop())
      await worker.call('connect', { address: postgres.address })
      await worker.call('measure', { text: `${text} LIMIT 10000`, count: 10_000 })
      const measured = await worker.call('measure', { text, count })
      for (const [column, value] of Object.entries(measured)) (samples[column] ??= []).push(value)
      progress(`stream ${round}/${options.runs} ${name} ${Math.round(measured.perSecond)}/s`)
      await stop()
    }
  }
  return {
    name: 'stream',
    title: `${count.toLocaleString('en')} rows × 7 columns, streamed`,
    notes: ['Default batch sizes. Memory after garbage collection, behind a tenth of the rows and behind the last.'],
    columns: [
      { key: 'perSecond', label: 'rows per second', spread: true, ratio: true },
      { key: 'activeMicros', label: 'JS thread µs per row', ratio: true },
      { key: 'heapFirst', label: 'heap MB, first' },
      { key: 'heapLast', label: 'last' },
      { key: 'rssFirst', label: 'resident MB, first' },
      { key: 'rssLast', label: 'last' },
    ],
    drivers,
    base: 'pg',
    targets: [{ column: 'perSecond', against: 'pg', atLeast: 2 }],
  }
}

/** @type {import('./index.mjs').Scenario} */
export default { name: 'stream', title: 'A million rows streamed, with memory, against pg-query-stream', needsPostgres: true, notQuick: true, run }
