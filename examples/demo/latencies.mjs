// How long things took, as seen by callers.
import { performance } from 'node:perf_hooks'

export class Latencies {
  #began = []
  #took = []

  /** Milliseconds since the epoch, with fractions: the same clock in all processes. */
  now() {
    return performance.timeOrigin + performance.now()
  }

  add(began) {
    this.#began.push(began)
    this.#took.push(this.now() - began)
  }

  /** Percentiles in milliseconds: of all, of those that ran during one of the `periods` ([from, to] each), and of the others. */
  summary(periods) {
    const during = []
    const otherwise = []
    this.#took.forEach((took, index) => {
      const began = this.#began[index]
      const overlaps = periods.some(([from, to]) => began <= to && began + took >= from)
      const group = overlaps ? during : otherwise
      group.push(took)
    })
    return { all: percentiles(this.#took), during: percentiles(during), otherwise: percentiles(otherwise) }
  }
}

function percentiles(values) {
  const sorted = Float64Array.from(values).sort()
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN
  return { count: sorted.length, p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}
