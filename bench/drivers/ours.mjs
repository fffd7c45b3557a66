/** This package, built into dist/ and npm/local and imported by its own name as a user would. */

import * as entry from 'lakebase-native'
import { IDLE_TIMEOUT_MILLIS } from './index.mjs'
import { fromPool } from './pool.mjs'

const { createLakebasePool } = /** @type {any} */ (entry)
if (typeof createLakebasePool !== 'function') {
  throw new Error('lakebase-native exports no createLakebasePool; run `npm run build` first')
}

/** @type {import('./index.mjs').Driver['open']} */
export const open = ({ ca, ...address }, max) =>
  fromPool(createLakebasePool({ ...address, max, ssl: { ca }, idleTimeoutMillis: IDLE_TIMEOUT_MILLIS }))
