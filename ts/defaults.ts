/** node-postgres' `defaults`: settings of the process that a program may change. */

import { types } from './types.js'

const INT8 = 20
const INT8_ARRAY = 1016
const INT4_ARRAY = 1007
const int8 = types.getTypeParser(INT8, 'text')
const int8Array = types.getTypeParser(INT8_ARRAY, 'text')

export interface Defaults {
  host: string
  user: string | undefined
  database: string | undefined
  password: string | null
  connectionString: string | undefined
  port: number
  rows: number
  /** Ask for binary results unless a query says otherwise. */
  binary: boolean
  max: number
  idleTimeoutMillis: number
  client_encoding: string
  ssl: any
  sslnegotiation: 'postgres' | 'direct' | undefined
  application_name: string | undefined
  fallback_application_name: string | undefined
  options: string | undefined
  /** Send a `Date` as UTC instead of as local time with offset. */
  parseInputDatesAsUTC: boolean
  statement_timeout: number | string | false
  lock_timeout: number | string | false
  idle_in_transaction_session_timeout: number | string | false
  query_timeout: number | string | false
  connect_timeout: number
  keepalives: number
  keepalives_idle: number
  /** Parse `int8` as a number (exact up to 2^53) instead of giving its text. */
  parseInt8: boolean
}

export const defaults = {
  host: 'localhost',
  user: process.platform === 'win32' ? process.env.USERNAME : process.env.USER,
  database: undefined,
  password: null,
  connectionString: undefined,
  port: 5432,
  rows: 0,
  binary: false,
  max: 10,
  idleTimeoutMillis: 30_000,
  client_encoding: '',
  ssl: false,
  sslnegotiation: undefined,
  application_name: undefined,
  fallback_application_name: undefined,
  options: undefined,
  parseInputDatesAsUTC: false,
  statement_timeout: false,
  lock_timeout: false,
  idle_in_transaction_session_timeout: false,
  query_timeout: false,
  connect_timeout: 0,
  keepalives: 1,
  keepalives_idle: 0,

  set parseInt8(on: boolean) {
    types.setTypeParser(INT8, 'text', on ? types.getTypeParser(23, 'text') : int8)
    types.setTypeParser(INT8_ARRAY, 'text', on ? types.getTypeParser(INT4_ARRAY, 'text') : int8Array)
  },
} as Defaults
