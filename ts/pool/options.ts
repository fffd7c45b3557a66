/** What a pool is given and what it makes of it. */

import { type ConnectionParameters, hide, hideKeys, setParametersOf } from '../config/connection-parameters.js'
import type { Client } from '../client.js'
import type { ConnectionOptions, PoolingOptions, TokenOptions } from '../config/options.js'
import type { PoolOptions } from '../interfaces/pool.js'
import type { PoolClient } from './pooled-connection.js'

/** What Rust made of options and environment: nothing secret. */
export interface Settings {
  host: string
  port: number
  user: string
  database: string
  max: number
  min: number
  idleTimeoutMillis: number
  connectionTimeoutMillis: number
  allowExitOnIdle: boolean
  maxUses: number | null
  maxLifetimeSeconds: number
  application_name: string | null
  /** The startup parameter, with the bounds of statements in it. */
  options: string | null
  query_timeout: number
  /** TLS starts without asking first. */
  directTls: boolean
  /** The connection to the database uses TLS. */
  encrypted: boolean
  /** TLS verifies the server's certificate. */
  verified: boolean
  /** Connections log in with tokens of the workspace. */
  usesTokens: boolean
  /** The schema that sessions work in, where one was chosen. */
  schema?: string | null
}

/** The settings of a pool whose options are invalid. */
export const nowhere: Settings = {
  host: 'localhost',
  port: 5432,
  user: '',
  database: '',
  max: 10,
  min: 0,
  idleTimeoutMillis: 0,
  connectionTimeoutMillis: 0,
  allowExitOnIdle: false,
  maxUses: null,
  maxLifetimeSeconds: 0,
  application_name: null,
  options: null,
  query_timeout: 0,
  directTls: false,
  encrypted: false,
  verified: false,
  usesTokens: false,
}

/** Options that a pool acts on in JavaScript; the rest is read in Rust. */
export interface PoolHooks {
  /** Prepares a new connection before it is used for anything else. */
  onConnect?: ((client: PoolClient) => unknown) | undefined
  /** Accepts a new connection, or refuses it with an error, before its first caller gets it. */
  verify?: ((client: PoolClient, done: (error?: Error) => void) => void) | undefined
  /** A class derived from this package's `Client`. */
  Client?: typeof Client | undefined
  /** The class of the promises that methods return. */
  Promise?: PromiseConstructor | undefined
}

/** What a pool is given. */
export interface GivenOptions extends ConnectionOptions, PoolingOptions, PoolHooks {}
type TokenPoolOptions = GivenOptions & TokenOptions

/** pg-pool's `options`: what the caller gave, and pg-pool's own defaults. */
export function pgOptions(given: GivenOptions & { poolSize?: number }): PoolOptions {
  const options = { ...given }
  // Also when another pool's options are given, which hide it.
  if ('password' in given) hide(options, 'password', given.password)
  hideKeys(options.ssl)
  return Object.assign(options, {
    max: options.max || options.poolSize || 10,
    min: options.min || 0,
    maxUses: options.maxUses || Infinity,
    allowExitOnIdle: options.allowExitOnIdle || false,
    maxLifetimeSeconds: options.maxLifetimeSeconds || 0,
    idleTimeoutMillis: options.idleTimeoutMillis === undefined ? 10_000 : options.idleTimeoutMillis,
  }) as PoolOptions
}

/** Options that are neither printed nor serialized. */
const secrets = ['password', 'connectionString', 'ssl', 'token', 'clientSecret'] as const satisfies readonly (keyof TokenPoolOptions)[]

/** What a Lakebase pool is given; another pool's options with what is hidden in them. */
export function revealed(given: TokenPoolOptions): TokenPoolOptions {
  const hidden = secrets.filter((name) => Object.getOwnPropertyDescriptor(given, name)?.enumerable === false)
  if (hidden.length === 0) return given
  return { ...given, ...Object.fromEntries(hidden.map((name) => [name, given[name]])) }
}

/** What the caller gave, with what Rust found in the environment and its defaults. */
export function lakebaseOptions(given: GivenOptions, settings: Settings): PoolOptions {
  // What is no option must not become one: another pool can be made of these.
  const { host, port, user, database, max, min, idleTimeoutMillis, connectionTimeoutMillis, maxLifetimeSeconds, allowExitOnIdle } = settings
  const found = { host, port, user, database, max, min, idleTimeoutMillis, connectionTimeoutMillis, maxLifetimeSeconds, allowExitOnIdle }
  const options = {
    ...given,
    ...found,
    maxUses: settings.maxUses ?? Infinity,
  }
  // Readable, but neither printed nor serialized.
  for (const secret of secrets) if (secret in options) hide(options, secret, (options as TokenPoolOptions)[secret])
  setParametersOf(options, () => lakebaseParameters(given, settings))
  return options as PoolOptions
}

/** `connectionParameters` of a Lakebase pool's clients: what Rust has resolved, in node-postgres' form. */
export function lakebaseParameters(given: TokenPoolOptions, settings: Settings): Partial<ConnectionParameters> {
  const { host, port, user, database, application_name, options, query_timeout, directTls, encrypted, verified } = settings
  const ssl = typeof given.ssl === 'object' ? given.ssl : verified || { rejectUnauthorized: false }
  return {
    host,
    port,
    user,
    database,
    password: given.password ?? null,
    ssl: encrypted ? ssl : false,
    sslnegotiation: directTls ? 'direct' : 'postgres',
    isDomainSocket: host.startsWith('/'),
    application_name: application_name ?? undefined,
    options: options ?? undefined,
    query_timeout,
    client_encoding: 'UTF8',
    connect_timeout: Math.floor(settings.connectionTimeoutMillis / 1000),
    binary: false,
  }
}
