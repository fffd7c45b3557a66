/** node-postgres as its documentation shows it: `pool.query(text, values)`, an unnamed statement each time. */

import pg from 'pg'
import { IDLE_TIMEOUT_MILLIS } from './index.mjs'
import { fromPool } from './pool.mjs'

/** @type {import('./index.mjs').Driver['open']} */
export const open = ({ ca, ...address }, max) =>
  fromPool(new pg.Pool({ ...address, max, ssl: { ca }, idleTimeoutMillis: IDLE_TIMEOUT_MILLIS }))
