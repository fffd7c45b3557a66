/** `@databricks/lakebase`: its pg.Pool with tracing around every query, logged in with a native password. */

import { createLakebasePool } from '@databricks/lakebase'
import { IDLE_TIMEOUT_MILLIS } from './index.mjs'
import { fromPool } from './pool.mjs'

/** @type {import('./index.mjs').Driver['open']} */
export const open = ({ ca, ...address }, max) =>
  fromPool(createLakebasePool({ ...address, max, ssl: { ca }, idleTimeoutMillis: IDLE_TIMEOUT_MILLIS }))
