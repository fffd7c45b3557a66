import { ROW_COLUMNS } from '../tables.mjs'

/**
 * @param {number} count
 * @returns {import('./index.mjs').Scenario}
 */
const rows = (count) => ({
  name: `rows-${count}`,
  title: `${count.toLocaleString('en')} rows × 7 columns, 10 in flight, pool of 10`,
  notes: ['int, text, numeric, bool, int, timestamptz, jsonb; up to 10 results are in memory at once.'],
  notQuick: count > 1_000,
  query: {
    text: `SELECT ${ROW_COLUMNS} FROM bench_row WHERE id > $1 ORDER BY id LIMIT ${count}`,
    values: (n) => [(n % 8) * 10_000],
    callers: 10,
    check: [[0], [50_000]],
  },
  targets: [
    { column: 'perSecond', against: 'pg', atLeast: 1.8 },
    { column: 'activeMicros', against: 'pg', atMost: 1 / 3.5, text: '1/3.5' },
  ],
})

export default [rows(1_000), rows(10_000)]
