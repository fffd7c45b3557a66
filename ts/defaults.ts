/** node-postgres' `defaults`: settings of the process that a program may change. */

import { types } from './types.js'

const INT8 = 20
const INT8_ARRAY = 1016
const INT4_ARRAY = 1007
const int8 = types.getTypeParser(INT8, 'text')
const int8Array = types.getTypeParser(INT8_ARRAY, 'text')

export const defaults = {
  /** Send a `Date` as UTC instead of as local time with offset. */
  parseInputDatesAsUTC: false,
  /** Ask for binary results unless a query says otherwise. */
  binary: false,

  /** Parse `int8` as a number (exact up to 2^53) instead of giving its text. */
  set parseInt8(on: boolean) {
    types.setTypeParser(INT8, 'text', on ? types.getTypeParser(23, 'text') : int8)
    types.setTypeParser(INT8_ARRAY as number, 'text', on ? types.getTypeParser(INT4_ARRAY, 'text') : int8Array)
  },
}
