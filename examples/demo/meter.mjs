/** Counts and times what happens, and says at the end whether all of it was right. */

export class Meter {
  written = 0
  read = 0
  transactions = 0
  wrong = 0
  stored = 0
  /** @type {Error[]} */
  failures = []
  /** Milliseconds of every query, and of those that ran while a token was being fetched. */
  latencies = []
  duringRefresh = []
  refreshing = 0
  /** A token's fetch counts as going on for this long after its call: the logins that use it follow. */
  static AFTERGLOW_MILLIS = 50
  static WARM_UP_MILLIS = 1_000

  constructor(emulator) {
    this.emulator = emulator
    emulator.events.on('call', () => {
      this.refreshing++
      setTimeout(() => this.refreshing--, Meter.AFTERGLOW_MILLIS).unref()
    })
  }

  get tokens() {
    return this.emulator.counts.api['/api/2.0/postgres/credentials'] ?? 0
  }

  get connections() {
    return this.emulator.counts.logins.accepted
  }

  /** Runs and times one query or transaction. A failure is noted; its result is an empty object. */
  async time(run) {
    const begun = performance.now()
    this.begun ??= begun
    const refreshing = this.refreshing > 0
    try {
      return await run()
    } catch (error) {
      this.failures.push(error)
      return {}
    } finally {
      const millis = performance.now() - begun
      // The first second is the cold start: pool and PostgreSQL warm up.
      if (begun - this.begun > Meter.WARM_UP_MILLIS) (refreshing || this.refreshing > 0 ? this.duringRefresh : this.latencies).push(millis)
    }
  }

  report({ seconds, tokenSeconds, callers }) {
    const all = [...this.latencies, ...this.duringRefresh]
    const [quiet, refresh] = [percentile(this.latencies, 99), percentile(this.duringRefresh, 99)]
    console.log('\n')
    console.log('  %s rows written and %s read back by %d callers in %d seconds, %s transactions', n(this.written), n(this.read), callers, seconds, n(this.transactions))
    console.log('  %d database tokens fetched, %d connections opened', this.tokens, this.connections)
    console.log('  latency ms: p50 %s, p95 %s, p99 %s, max %s', ...[50, 95, 99, 100].map((p) => percentile(all, p).toFixed(1)))
    console.log('  p99 while a token is refreshed %s, otherwise %s\n', refresh.toFixed(1), quiet.toFixed(1))
    const lives = Math.floor(seconds / tokenSeconds)
    const checks = [
      [`${this.failures.length} failed queries`, this.failures.length === 0],
      ['every row read is the row written', this.wrong === 0 && this.read > 0],
      [`${n(this.stored)} rows in the table, as many as were written`, this.stored === this.written],
      ['thousands of rows', this.written > 1_000],
      [`tokens rotated: ${this.tokens} for ${lives} token lives`, this.tokens >= lives],
      ['every login was made with a valid token', this.emulator.counts.logins.refused === 0],
      ['connections were replaced while queries ran', this.connections > 20],
    ]
    for (const [what, held] of checks) console.log('  %s %s', held ? '✓' : '✗', what)
    for (const error of this.failures.slice(0, 3)) console.log('    %s', error.stack)
    return checks.every(([, held]) => held)
  }
}

function percentile(values, p) {
  const sorted = Float64Array.from(values).sort()
  return sorted.length ? sorted[Math.min(sorted.length - 1, Math.ceil((p / 100) * sorted.length) - 1)] : 0
}

const n = (value) => value.toLocaleString('en')
