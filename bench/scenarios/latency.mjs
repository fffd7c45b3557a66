import { check, text, values } from './point.mjs'

/** @type {import('./index.mjs').Scenario} */
export default {
  name: 'latency',
  title: 'Point query, one at a time',
  query: { text, values, callers: 1, check },
  targets: [{ column: 'latencyMicros', against: 'pg', atMost: 0.9 }],
}
