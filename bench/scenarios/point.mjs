import { ROW_COLUMNS, scatteredId } from '../tables.mjs'

export const text = `SELECT ${ROW_COLUMNS} FROM bench_row WHERE id = $1`

/** @param {number} n */
export const values = (n) => [scatteredId(n)]

/** Some hundred rows, with every remainder that tables.mjs computes values from, and an id that is not there. */
export const check = [...Array.from({ length: 300 }, (_, n) => [n + 1]), [-1]]

/** @type {import('./index.mjs').Scenario} */
export default {
  name: 'point',
  title: 'Point query, 64 in flight, pool of 10',
  query: { text, values, callers: 64, check },
  targets: [
    { column: 'perSecond', against: 'pg', atLeast: 5 },
    { column: 'perSecond', against: 'postgres', atLeast: 2 },
    { column: 'activeMicros', against: 'pg', atMost: 1 / 7, text: '1/7' },
  ],
}
