/** `lakebase-native/pg`: node-postgres' module on the Rust core. Exports what `pg` exports. */

import { Client } from '../client.js'
import { defaults } from '../defaults.js'
import { escapeIdentifier, escapeLiteral } from '../escape.js'
import { Pool } from '../pool.js'
import { Query } from '../query.js'
import { Result } from '../result.js'
import { types, TypeOverrides } from '../types.js'
import { prepareValue } from '../values.js'

export { Client, defaults, escapeIdentifier, escapeLiteral, Pool, Query, Result, TypeOverrides, types }
export { DatabaseError } from 'pg-protocol'
export const utils = { prepareValue, escapeIdentifier, escapeLiteral }
/** There is no libpq binding here. */
export const native = null
