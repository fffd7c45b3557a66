/** What a pool is given and what it makes of it. */

import type { Client } from './client.js'
import { hide, hideKeys } from './pg/connection-parameters.js'
import type { PoolOptions } from './options.js'
import type { PoolClient } from './pool-member.js'

/** Options that a pool acts on in JavaScript; the rest is read in Rust. */
export interface Hooks {
  /** Prepares a new connection before it is used for anything else. */
  onConnect?: ((client: PoolClient) => unknown) | undefined
  /** Accepts a new connection, or refuses it with an error, before its first caller gets it. */
  verify?: ((client: PoolClient, done: (error?: Error) => void) => void) | undefined
  /** A class derived from this package's `Client`. */
  Client?: typeof Client | undefined
  /** The class of the promises that methods return. */
  Promise?: PromiseConstructor | undefined
}

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
  maxUses: number | null
  maxLifetimeSeconds: number
}

/** The settings of a pool whose options are of no use. */
export const nowhere: Settings = {
  host: 'localhost',
  port: 5432,
  user: '',
  database: '',
  max: 10,
  min: 0,
  idleTimeoutMillis: 0,
  connectionTimeoutMillis: 0,
  maxUses: null,
  maxLifetimeSeconds: 0,
}

/** Options in force. */
export type PoolSettings = PoolOptions & Hooks & { max: number; maxUses: number; allowExitOnIdle: boolean; maxLifetimeSeconds: number }

/** pg-pool's `options`: what the caller gave, and pg-pool's own defaults. */
export function pgOptions(given: PoolOptions & Hooks & { poolSize?: number }): PoolSettings {
  const options = { ...given }
  if ('password' in options) hide(options, 'password', options.password)
  hideKeys(options.ssl)
  return Object.assign(options, {
    max: options.max || options.poolSize || 10,
    min: options.min || 0,
    maxUses: options.maxUses || Infinity,
    allowExitOnIdle: options.allowExitOnIdle || false,
    maxLifetimeSeconds: options.maxLifetimeSeconds || 0,
    idleTimeoutMillis: options.idleTimeoutMillis === undefined ? 10_000 : options.idleTimeoutMillis,
  })
}

/** What the caller gave, with what Rust found in the environment and its defaults. */
export function lakebaseOptions(given: PoolOptions & Hooks, settings: Settings): PoolSettings {
  const options = {
    ...given,
    ...settings,
    maxUses: settings.maxUses ?? Infinity,
    allowExitOnIdle: Boolean(given.allowExitOnIdle),
  }
  // Still there for whoever needs them, but neither printed nor serialized.
  for (const secret of ['password', 'connectionString', 'ssl', 'token', 'clientSecret'] as (keyof PoolOptions)[]) {
    if (secret in options) hide(options, secret, options[secret])
  }
  return options
}


