/** node-postgres with a `name` on the statement, which makes it prepare once per connection. Few applications do this. */

import pg from 'pg'
import { IDLE_TIMEOUT_MILLIS } from './index.mjs'
import { fromPool } from './pool.mjs'

/** @type {import('./index.mjs').Driver['open']} */
export function open({ ca, ...address }, max) {
  const pool = new pg.Pool({ ...address, max, ssl: { ca }, idleTimeoutMillis: IDLE_TIMEOUT_MILLIS })
  return { ...fromPool(pool), statement: (text) => (values) => pool.query({ name: 'bench', text, values }) }
}
