/** `createLakebasePool()`: pools of Databricks Lakebase. */

import { offPoolNews, onPoolNews, warn } from './auth/questions.js'
import { Client } from './client.js'
import { getToken } from './credential.js'
import { environment } from './environment.js'
import { AuthenticationError, ConfigurationError, toError } from './errors.js'
import { beginTokenFetch } from './instrumentation.js'
import { native } from './native.js'
import type { LakebasePoolOptions } from './lakebase-options.js'
import { escapeIdentifier } from './escape.js'
import { hide } from './config/connection-parameters.js'
import { lakebase } from './policy.js'
import type { ClientConfig } from './interfaces/client.js'
import { Pool, type PoolClient } from './pool/pool.js'
import type { ForwardedRequest } from './users/forwarded.js'
import type { PoolOfUser, UserIdentity, UserPools } from './users/user-pools.js'
import { runTransaction, type TransactionOptions } from './pool/transaction.js'
import { toLogger, withoutDatabricksOptions } from './workspace-client.js'

/** A database credential was fetched, as the event `token` tells it: never the credential itself. */
export interface FetchedToken {
  /** The name of the way that authenticated for it, such as `oauth-m2m`. */
  method: string
  /** When PostgreSQL stops accepting it for new connections. */
  expiresAt: Date
}

/**
 * A pool of connections to Lakebase: node-postgres' pool, with passwords that are fetched, cached and rotated in Rust.
 *
 * Emits `token` (a `FetchedToken`) for each credential that is fetched for it, besides the events of a pool.
 */
export class LakebasePool extends Pool {
  /** Private to the language, not to TypeScript alone: no inspection shows it. */
  readonly #source: LakebasePoolOptions
  #userPools: UserPools | undefined

  /** Throws a `ConfigurationError` that lists every problem. Connects when first used. */
  constructor(given: LakebasePoolOptions = {}) {
    const schema: SchemaOfPool = { name: undefined }
    const options = withoutDatabricksOptions(given)
    super(withSchema(options, schema), lakebase)
    this.#source = options
    const logger = options.logger && toLogger(options.logger)
    if (logger) this.on('error', (error) => logger.error('a connection was lost: %s', error.message))
    if (!options.Client) this.Client = clientOf(this, options)
    const settings = this._settings
    if (settings.encrypted && !settings.verified) {
      warn('sslMode prefer and no-verify, as rejectUnauthorized: false, do not check who the database server is: a password may go to anybody')
    }
    schema.name = settings.schema ?? undefined
    hideSecrets(this.options)
    let fetchEnded: ReturnType<typeof beginTokenFetch>
    onPoolNews(this._pool, (event) => {
      switch (event.event) {
        case 'fetching':
          fetchEnded = beginTokenFetch(settings)
          return
        case 'fetchFailed':
          fetchEnded?.({ method: undefined, expiresAt: undefined, error: toError(event.error) })
          return
        case 'fetched': {
          const fetched = { method: event.method, expiresAt: new Date(event.expiresAt) }
          fetchEnded?.(fetched)
          logger?.debug('a credential was fetched (%s), good until %s', fetched.method, fetched.expiresAt.toISOString())
          this.emit('token', fetched satisfies FetchedToken)
          return
        }
      }
      const { host, user, database } = event
      Object.assign(settings, { host, user, database })
      Object.assign(this.options, { host, user, database })
      schema.name = event.schema ?? undefined
    })
  }

  override end(): Promise<void>
  override end(callback: (error?: Error) => void): void
  override end(callback?: (error?: Error) => void): Promise<void> | void {
    offPoolNews(this._pool)
    if (!this.#userPools) return callback ? super.end(callback) : super.end()
    const ended = Promise.all([super.end(), this.#userPools.end()]).then(() => {})
    if (!callback) return ended
    ended.then(() => callback(), callback)
  }

  /**
   * Forgets this pool's credential and the workspace token behind it, for everybody in the process who shares them: the next connection gets
   * new ones. For a secret that was replaced, or a permission that was just given. Open connections stay.
   */
  clearTokenCache(): void {
    environment.clearTokens(this._pool)
    this.#userPools?.clearTokenCache()
  }

  /**
   * Queries as a user: `current_user` and row-level security are the user's. Each user has a small pool of its own (`users`), which the user's
   * token opens; this pool's identity plays no part.
   *
   * `token` is the user's token for the workspace; `jwt`, an identity provider's token for the user, is exchanged for one by the account's
   * federation policy.
   */
  forUser(identity: UserIdentity): PoolOfUser {
    // Read once: what the caller does to the object later concerns nobody else.
    const { user, token, jwt } = (identity ?? {}) as { user?: unknown; token?: unknown; jwt?: unknown }
    if (typeof user !== 'string' || user === '') throw new TypeError('forUser: user must be the name of the PostgreSQL role')
    if (isToken(token)) return this.#pools().of({ user, token })
    if (token === undefined && isToken(jwt)) return this.#pools().of({ user, jwt })
    throw new TypeError("forUser: token must be the user's workspace token, or jwt a token to exchange for it")
  }

  /**
   * The same for the user of a request that Databricks' proxy has forwarded: `x-forwarded-access-token`, `x-forwarded-email`.
   *
   * Anybody can send these headers where no such proxy is in front, so this throws unless `trustForwardedHeaders` is set. Without a token it
   * throws an `AuthenticationError`; in development (`NODE_ENV`), with `users.developmentFallback`, it warns and gives this pool.
   */
  asUser(request: ForwardedRequest): PoolOfUser {
    const { forwardedUser } = require('./users/forwarded.js') as typeof import('./users/forwarded.js')
    if (this.#source.trustForwardedHeaders !== true) {
      const hint = 'set trustForwardedHeaders where a proxy of Databricks is in front of the app and removes these headers from what clients send'
      const error = new ConfigurationError(`asUser() does not trust x-forwarded-access-token: outside Databricks anybody can send it (${hint})`)
      throw Object.assign(error, { code: 'FORWARDED_HEADERS_NOT_TRUSTED', hint })
    }
    const { token, user } = forwardedUser(request)
    if (token !== undefined && user !== undefined) return this.forUser({ token, user })
    if (this.#source.users?.developmentFallback && process.env.NODE_ENV === 'development') {
      warn('asUser() found no user in the request: in development the pool itself is used, with the rights of its own identity')
      return this as unknown as PoolOfUser
    }
    const missing = token === undefined ? 'x-forwarded-access-token' : 'x-forwarded-email'
    const hint = "turn on the app's user authorization in Databricks"
    throw Object.assign(new AuthenticationError(`the request has no header ${missing} (${hint})`), { code: 'NO_FORWARDED_USER', hint })
  }

  #pools(): UserPools {
    const { UserPools } = require('./users/user-pools.js') as typeof import('./users/user-pools.js')
    return (this.#userPools ??= new UserPools({
      ...this.#source.users,
      timeoutMillis: this._settings.connectionTimeoutMillis,
      make: (identity, max) => this.#poolOf(identity, max),
    }))
  }

  #poolOf(identity: UserIdentity, max: number): LakebasePool {
    const own = new Set([...native.authenticationOptions(), 'password', 'connectionString', 'users', 'trustForwardedHeaders', 'min', 'poolSize'])
    const options = Object.fromEntries(Object.entries(this.#source).filter(([name]) => !own.has(name))) as LakebasePoolOptions
    const who: LakebasePoolOptions =
      'token' in identity
        ? { token: identity.token, authType: 'pat' }
        : { oidcToken: () => identity.jwt, accountWideFederation: true, authType: 'oidc-callback' }
    const { host, database } = this._settings
    const where = { ...(host && { host }), ...(database && { database }) }
    const pool = new LakebasePool({ ...options, ...where, ...who, user: identity.user, max })
    if (!pool._settings.usesTokens) {
      // A password is the app's: it would open a connection as whomever a request names.
      void pool.end()
      throw new ConfigurationError('pools of users log in with tokens, and this pool with a password: name an endpoint or instance (LAKEBASE_ENDPOINT)')
    }
    // The error of an idle connection is emitted by this pool: callers cannot listen to the user's.
    pool.on('error', (error, client) => {
      if (this.listenerCount('error') > 0) this.emit('error', error, client)
    })
    return pool
  }

  /**
   * Fetches the token and opens a connection ahead of the first query, while a function starts: `await pool.warm()` beside the pool. Does nothing
   * where a connection is open already. Rejects as the first query would.
   */
  async warm(): Promise<void> {
    if (this.totalCount > 0) return
    const client = await this.connect()
    client.release()
  }

  /** The credential this pool logs in with: cached, shared with everybody of the same identity in this process. */
  getToken(): Promise<string> {
    return getToken(this.#source)
  }

  /**
   * Runs `work` in a transaction: commits when it resolves, rolls back and rethrows when it does not.
   *
   * Query with the client that `work` is given; the pool's own `query()` is another connection.
   */
  transaction<T>(work: (client: PoolClient) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return runTransaction(this, work, options)
  }
}

/** What a token consists of: anything else would never be one, and could be read in two ways. */
function isToken(text: unknown): text is string {
  return typeof text === 'string' && /^[\x21-\x7e]+$/.test(text)
}

/**
 * The class of a pool's clients. It can make clients outside of the pool, too: whoever knows a pool by `instanceof pg.Pool`, as Prisma's adapter
 * does, takes this one for options and makes a pool of its own from a copy. Its clients then log in as this pool does.
 */
function clientOf(pool: LakebasePool, given: LakebasePoolOptions): typeof Client {
  const named = {
    Client: class extends Client {
      constructor(config?: string | ClientConfig) {
        const copied = typeof config === 'object' && (config.options as unknown) === pool.options
        super(copied ? ownOptions(pool, given) : config)
      }
    },
  }
  return named.Client
}

function ownOptions({ options: { host, user, database } }: LakebasePool, given: LakebasePoolOptions): ClientConfig {
  const { getLakebasePgConfig } = require('./databricks-lakebase.js') as typeof import('./databricks-lakebase.js')
  // What the workspace has told meanwhile counts as given.
  return getLakebasePgConfig({ ...(host && { host }), ...(user && { user }), ...(database && { database }), ...given })
}

/** The schema that a pool's sessions begin in: known when the workspace has told the user. */
interface SchemaOfPool {
  name: string | undefined
}

const ALREADY_THERE = ['42P06', '23505']

/** What cannot be read is reported with the other options. */
function createsSchema(options: LakebasePoolOptions): boolean {
  try {
    return Boolean(options.createSchema)
  } catch {
    return false
  }
}

/** With `createSchema`, the first connection makes the schema before anything else happens on it. */
function withSchema(options: LakebasePoolOptions, schema: SchemaOfPool): LakebasePoolOptions {
  if (!createsSchema(options)) return options
  let made: Promise<unknown> | undefined
  const make = (client: PoolClient): Promise<unknown> =>
    // Two programs that make it at the same moment: one of them is told that it is there.
    client.query(`create schema if not exists ${escapeIdentifier(schema.name!)}`).catch((error: { code?: string }) => {
      if (!ALREADY_THERE.includes(error.code ?? '')) throw error
    })
  const onConnect = async (client: PoolClient): Promise<unknown> => {
    if (schema.name !== undefined) {
      made ??= make(client)
      try {
        await made
      } catch (error) {
        made = undefined
        throw error
      }
    }
    return options.onConnect?.(client)
  }
  return { ...options, onConnect }
}

/**
 * A pool for Lakebase. All settings can come from the environment: with `DATABRICKS_HOST`, `LAKEBASE_ENDPOINT`, `PGHOST`, `PGDATABASE` and
 * `DATABRICKS_CLIENT_ID` + `DATABRICKS_CLIENT_SECRET` set, `createLakebasePool()` is enough.
 *
 * Throws a `ConfigurationError` that lists every problem; connects when first used.
 */
export function createLakebasePool(options: LakebasePoolOptions = {}): LakebasePool {
  return new LakebasePool(options)
}

let secretOptions: string[] | undefined

/** Keeps options from being printed or serialized; they can still be read. Rust knows which options of the ways to authenticate are secret. */
function hideSecrets(options: object): void {
  secretOptions ??= native.secretOptions()
  for (const name of secretOptions) if (name in options) hide(options, name, (options as Record<string, unknown>)[name])
}
