const kinds = ['signup', 'order', 'refund', 'login']
const epoch = Date.UTC(2025, 0, 1)

/** @param {number} n */
const values = (n) => [n % 1_000_000, kinds[n % kinds.length], (((n * 7_919) % 100_000) / 100).toFixed(2), new Date(epoch + n * 1_001)]

/** @type {import('./index.mjs').Scenario} */
export default {
  name: 'insert',
  title: 'Insert of one row, 64 in flight, pool of 10',
  notes: ['synchronous_commit is off: the drivers are measured, not the disk. The table is emptied before every round.'],
  query: {
    text: 'INSERT INTO bench_event (account, kind, amount, happened_at) VALUES ($1, $2, $3, $4)',
    values,
    callers: 64,
    check: Array.from({ length: 20 }, (_, n) => values(n)),
    readBack: 'SELECT account, kind, amount, happened_at FROM bench_event ORDER BY id',
    beforeRound: 'TRUNCATE bench_event RESTART IDENTITY',
  },
}
