/** Figures of many measurements. */

export interface Latencies {
  count: number
  /** Milliseconds. */
  p50: number
  p95: number
  p99: number
  /** How many fell into each twelfth between the fastest and the 99th percentile. */
  histogram: number[]
}

const BUCKETS = 12

export function latencies(millis: readonly number[]): Latencies {
  const sorted = [...millis].sort((a, b) => a - b)
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => quantile(sorted, share)) as [number, number, number]
  const histogram = new Array<number>(BUCKETS).fill(0)
  const least = sorted[0] ?? 0
  const width = (p99 - least) / BUCKETS || 1
  for (const one of sorted) if (one <= p99) histogram[Math.min(BUCKETS - 1, Math.floor((one - least) / width))]!++
  return { count: sorted.length, p50, p95, p99, histogram }
}

export function median(values: readonly number[]): number {
  return quantile([...values].sort((a, b) => a - b), 0.5)
}

/** The value below which this share of the sorted ones lies; NaN of none. */
function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}
