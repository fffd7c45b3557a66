/** Order statistics of small samples. Nothing here assumes a distribution: timings have long tails. */

/**
 * The q-quantile (0–1) of a sample, interpolated between neighbours. `NaN` for an empty sample.
 * @param {ArrayLike<number>} sample
 * @param {number} q
 */
export function quantile(sample, q) {
  const sorted = Float64Array.from(sample).sort()
  if (sorted.length === 0) return NaN
  const position = q * (sorted.length - 1)
  const below = sorted[Math.floor(position)]
  const above = sorted[Math.ceil(position)]
  return below + (above - below) * (position - Math.floor(position))
}

/** @param {ArrayLike<number>} sample */
export const median = (sample) => quantile(sample, 0.5)

/**
 * How many times `sample` is `base`: the median of the rounds' own ratios. Rounds are interleaved, so the two values of one round
 * were taken seconds apart and a drift of the machine cancels out, which it would not in a ratio of medians.
 * @param {number[]} sample
 * @param {number[]} base
 */
export function pairedRatio(sample, base) {
  const rounds = Math.min(sample.length, base.length)
  return median(Array.from({ length: rounds }, (_, round) => sample[round] / base[round]))
}
