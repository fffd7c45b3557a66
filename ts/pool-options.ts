/** What a pool is given and what it makes of it. */

import { hide, hideKeys } from './pg/connection-parameters.js'
import type { ConnectionOptions, PoolHooks, PoolingOptions } from './options.js'
import type { PoolOptions } from './pg/types.js'

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

/** What a pool is given. */
export interface GivenOptions extends ConnectionOptions, PoolingOptions, PoolHooks {}

/** pg-pool's `options`: what the caller gave, and pg-pool's own defaults. */
export function pgOptions(given: GivenOptions & { poolSize?: number }): PoolOptions {
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
  }) as PoolOptions
}

/** What the caller gave, with what Rust found in the environment and its defaults. */
export function lakebaseOptions(given: GivenOptions, settings: Settings): PoolOptions {
  const options = {
    ...given,
    ...settings,
    maxUses: settings.maxUses ?? Infinity,
    allowExitOnIdle: Boolean(given.allowExitOnIdle),
  }
  // Still there for whoever needs them, but neither printed nor serialized.
  for (const secret of ['password', 'connectionString', 'ssl', 'token', 'clientSecret'] as (keyof GivenOptions)[]) {
    if (secret in options) hide(options, secret, options[secret])
  }
  return options as PoolOptions
}


