// What happened, and whether it is what had to happen.
const number = (value) => value.toLocaleString('en')
const millis = (value) => `${value.toFixed(1)} ms`

/** Prints everything; true when every check held. */
export function report(summary, counts, { ended }, { seconds, tokenSeconds, max }) {
  const { latencies, failures, check } = summary
  const tokens = counts.api['/api/2.0/postgres/credentials'] ?? 0
  const { opened } = counts.connections.database
  const { during, otherwise } = latencies

  print([
    ['rows written, rows read', `${number(summary.written)}, ${number(summary.read)}`],
    ['queries, transactions', `${number(summary.queries)}, ${number(summary.transactions)}`],
    ['failed', number(failures.length)],
    ['tokens fetched', number(tokens)],
    ['connections opened', `${number(opened)}, of which the server ended ${number(ended)} while they were idle`],
    ['latency p50, p95, p99, max', [latencies.all.p50, latencies.all.p95, latencies.all.p99, latencies.all.max].map(millis).join(', ')],
    ['p99 during a token refresh', `${millis(during.p99)} (${number(during.count)} calls)`],
    // No check: on a machine that is busy with other work it says more about that work.
    ['p99 otherwise', `${millis(otherwise.p99)} (${number(otherwise.count)} calls)`],
  ])

  const lives = Math.floor(seconds / tokenSeconds)
  const checks = [
    [failures.length === 0, 'no query and no transaction failed'],
    [check.orders === summary.written, 'every row that was written is there, once'],
    [check.totals_agree, 'the transactions\' totals agree with the rows'],
    [tokens >= lives, `tokens were renewed all along: ${tokens} in ${lives} lives`],
    [counts.logins.refused === 0, 'no login was refused: no token was used beyond its life'],
    [ended > 0, `connections that the server had ended were noticed and replaced: ${ended}`],
    [opened > 2 * max, `connections were replaced all along: ${opened} for a pool of ${max}`],
  ]
  for (const [held, what] of checks) console.log(`  ${held ? '✓' : '✗'} ${what}`)
  for (const failure of new Set(failures)) console.log(`      ${failure}`)
  console.log()
  return checks.every(([held]) => held)
}

function print(lines) {
  const width = Math.max(...lines.map(([name]) => name.length))
  for (const [name, value] of lines) console.log(`  ${name.padEnd(width)}   ${value}`)
  console.log()
}
