import { check, text, values } from './point.mjs'

/**
 * @param {number} linkMillis
 * @returns {import('./index.mjs').Scenario}
 */
const link = (linkMillis) => ({
  name: `link-${linkMillis}`,
  title: `Point query over a link of ${linkMillis} ms, 200 callers, pool of 10`,
  notes: [`200 callers can have at most ${(200_000 / linkMillis).toLocaleString('en')} answers/s over ${linkMillis} ms.`],
  notQuick: linkMillis > 10,
  query: { text, values, callers: 200, check: check.slice(0, 10), linkMillis },
  targets: [
    { column: 'perSecond', against: 'pg', atLeast: 10 },
    { column: 'perSecond', against: 'postgres', atLeast: 1 },
  ],
})

export default [link(10), link(40)]
