/** The settings of one connection, from options, connection string, `PG*` variables and `defaults`, by node-postgres' rules. */

import { defaults } from '../defaults.js'
import { parseConnectionString, type StringSettings } from './connection-string.js'

/** node-postgres' `client.connectionParameters`. Falsy options count as not given. */
export class ConnectionParameters {
  user: string
  database: string
  port: number
  host: string
  declare password: any
  binary: boolean
  options: string | undefined
  ssl: any
  sslnegotiation: 'postgres' | 'direct' | undefined
  client_encoding: string
  replication: string | undefined
  isDomainSocket: boolean
  application_name: string | undefined
  fallback_application_name: string | undefined
  statement_timeout: number | string | false
  lock_timeout: number | string | false
  idle_in_transaction_session_timeout: number | string | false
  query_timeout: number | string | false
  connect_timeout: number | string
  declare keepalives?: number
  declare keepalives_idle?: number

  constructor(given?: string | object | null) {
    const config = settingsOf(given)
    this.user = pick(config, 'user')
    this.database = pick(config, 'database')
    if (this.database === undefined) this.database = this.user
    this.port = Number.parseInt(pick(config, 'port'), 10)
    this.host = pick(config, 'host')
    hide(this, 'password', pick(config, 'password'))
    this.binary = pick(config, 'binary')
    this.options = pick(config, 'options')
    this.ssl = sslOf(config.ssl)
    this.sslnegotiation = negotiation(pick(config, 'sslnegotiation'), this.ssl)
    this.client_encoding = pick(config, 'client_encoding')
    this.replication = pick(config, 'replication')
    this.isDomainSocket = (this.host || '').startsWith('/')
    this.application_name = pick(config, 'application_name', 'PGAPPNAME')
    this.fallback_application_name = pick(config, 'fallback_application_name', null)
    this.statement_timeout = pick(config, 'statement_timeout', null)
    this.lock_timeout = pick(config, 'lock_timeout', null)
    this.idle_in_transaction_session_timeout = pick(config, 'idle_in_transaction_session_timeout', null)
    this.query_timeout = pick(config, 'query_timeout', null)
    this.connect_timeout =
      config.connectionTimeoutMillis === undefined
        ? process.env.PGCONNECT_TIMEOUT || 0
        : Math.floor(config.connectionTimeoutMillis / 1000)
    if (config.keepAlive === false) this.keepalives = 0
    else if (config.keepAlive === true) this.keepalives = 1
    if (typeof config.keepAliveInitialDelayMillis === 'number') {
      this.keepalives_idle = Math.floor(config.keepAliveInitialDelayMillis / 1000)
    }
  }

  /** The same settings as libpq's `key=value` pairs, with the host's address. */
  getLibpqConnectionString(callback: (error: Error | null, text: string | null) => void): void {
    const pairs: string[] = []
    const add = (name: string, value: unknown): void => {
      if (value !== undefined && value !== null) pairs.push(`${name}=${quoted(value)}`)
    }
    for (const name of ['user', 'password', 'port', 'application_name', 'fallback_application_name', 'connect_timeout', 'options'] as const) {
      add(name, this[name])
    }
    const ssl = (typeof this.ssl === 'object' ? this.ssl : this.ssl ? { sslmode: this.ssl } : {}) ?? {}
    for (const name of ['sslmode', 'sslca', 'sslkey', 'sslcert', 'sslrootcert']) add(name, ssl[name])
    add('sslnegotiation', this.sslnegotiation)
    if (this.database) add('dbname', this.database)
    if (this.replication) add('replication', this.replication)
    if (this.host) add('host', this.host)
    if (this.isDomainSocket) return callback(null, pairs.join(' '))
    if (this.client_encoding) add('client_encoding', this.client_encoding)
    // Loaded for those who ask, as in answerIdentity.
    const { lookup } = require('node:dns') as typeof import('node:dns')
    lookup(this.host, (error, address) => {
      if (error) return callback(error, null)
      add('hostaddr', address)
      callback(null, pairs.join(' '))
    })
  }
}

/** What stands for reading, for options whose settings are known. */
const known = new WeakMap<object, () => Partial<ConnectionParameters>>()

/** Clients made with these options have these settings, whatever node-postgres' rules would make of the options. */
export function setParametersOf(options: object, parameters: () => Partial<ConnectionParameters>): void {
  known.set(options, parameters)
}

/** The settings of a client with these options. */
export function parametersOf(given?: string | object | null): ConnectionParameters {
  const resolved = typeof given === 'object' && given ? known.get(given)?.() : undefined
  if (!resolved) return new ConnectionParameters(given)
  const { password, ...visible } = resolved
  const parameters = Object.assign(Object.create(ConnectionParameters.prototype) as ConnectionParameters, visible)
  hide(parameters, 'password', password)
  return parameters
}

/** Gives an object a property that is neither printed nor serialized. */
export function hide(target: object, name: string, value: unknown): void {
  let current = value
  Object.defineProperty(target, name, { enumerable: false, configurable: true, get: () => current, set: (next) => (current = next) })
}

/** Keeps private keys from being printed: `ssl.key`, as node-postgres does, and a `cert` or `ca` that holds one by mistake or in one file. */
export function hideKeys(ssl: unknown): void {
  if (!ssl || typeof ssl !== 'object') return
  for (const [name, value] of Object.entries(ssl)) {
    const isText = typeof value === 'string' || Buffer.isBuffer(value) || Array.isArray(value)
    const isSecret = name === 'key' ? Boolean(value) : isText && String(value).includes('PRIVATE KEY')
    if (isSecret) Object.defineProperty(ssl, name, { enumerable: false })
  }
}

function settingsOf(given: string | object | null | undefined): StringSettings {
  if (typeof given === 'string') return parseConnectionString(given)
  const config = (given ?? {}) as StringSettings
  // What the string says wins, even where it says nothing.
  return config.connectionString ? { ...config, ...parseConnectionString(config.connectionString as string) } : config
}

/** An option, the variable that stands in for it (`null`: none), or the default. */
function pick(config: StringSettings, name: string, variable: string | null = `PG${name.toUpperCase()}`): any {
  return config[name] || (variable && process.env[variable]) || (defaults as StringSettings)[name]
}

function sslOf(given: unknown): unknown {
  const ssl = given === undefined ? sslOfEnvironment() : given
  if (ssl === 'true') return true
  if (ssl === 'no-verify') return { rejectUnauthorized: false }
  hideKeys(ssl)
  return ssl
}

function sslOfEnvironment(): unknown {
  switch (process.env.PGSSLMODE) {
    case 'disable':
      return false
    case 'prefer':
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return true
    case 'no-verify':
      return { rejectUnauthorized: false }
    default:
      return defaults.ssl
  }
}

function negotiation(value: string | undefined, ssl: unknown): 'postgres' | 'direct' | undefined {
  if (value !== undefined && value !== 'postgres' && value !== 'direct') {
    throw new Error(`Invalid sslnegotiation value: "${value}". Valid values are "postgres" and "direct".`)
  }
  if (value === 'direct' && !ssl) throw new Error('sslnegotiation=direct requires SSL to be enabled')
  return value
}

function quoted(value: unknown): string {
  return `'${String(value).replace(/\\/g, '\\\\').replace(/'/g, "\\'")}'`
}
