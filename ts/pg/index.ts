/** `lakebase-native/pg`: node-postgres' module on the Rust core. Exports what `pg` exports. */

import { Client } from '../client.js'
import { defaults } from '../defaults.js'
import { escapeIdentifier, escapeLiteral } from '../escape.js'
import { Pool } from '../pool.js'
import { normalize, Query } from '../query.js'
import { Result } from '../result.js'
import { types, TypeOverrides } from '../types.js'
import { prepareValue } from '../values.js'

export { Client, defaults, escapeIdentifier, escapeLiteral, Pool, Query, Result, TypeOverrides, types }
export { Connection } from './plain-connection.js'
export { DatabaseError } from 'pg-protocol'
export const utils = { prepareValue, normalizeQueryConfig: normalize, escapeIdentifier, escapeLiteral }
/** There is no libpq binding here. Not enumerable in `pg`; see `scripts/build.mjs` for the entry's form. */
export const native = null
Object.defineProperty(exports, 'native', { enumerable: false, value: null })
