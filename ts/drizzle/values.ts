/** The values that Drizzle expects from a driver: node-postgres', but for dates and times, which its columns parse themselves. */

import { asText, types, type TypeParser, type TypeSource } from '../types.js'

/** date, time stamps and intervals, and arrays of them and of numeric: Drizzle's columns take their text. */
const textual = new Set([1082, 1114, 1184, 1186, 1115, 1182, 1185, 1187, 1231])

/** Other types keep node-postgres' parsers, those that an app sets included. */
export const drizzleTypes: TypeSource = {
  getTypeParser: (oid: number, format?: 'text' | 'binary'): TypeParser => (textual.has(oid) ? asText : types.getTypeParser(oid, format)),
}
