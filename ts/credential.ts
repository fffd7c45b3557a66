/** `getToken()`, `getCredential()`, `getDatabaseUrl()`: credentials without a pool. */

// Answers what ways to authenticate ask of this thread.
import './auth/questions.js'
import { environment, expect } from './environment.js'
import { restack } from './errors.js'
import { encodeOptions, environmentVariables } from './config/encode.js'
import type { TokenOptions } from './config/options.js'
import type { LakebasePoolOptions } from './lakebase-options.js'
import { withoutDatabricksOptions } from './workspace-client.js'

/** A database credential. */
export interface Credential {
  /** The password. Secret. */
  token: string
  /** When PostgreSQL stops accepting it for new connections. */
  expiresAt: Date
}

/**
 * A database credential for a password callback: `new pg.Pool({ password: getToken })`, Drizzle, and others.
 *
 * Cached in Rust and shared with the pools of this process; concurrent callers share one fetch, and a token about to expire is refreshed in
 * the background. Options other than tokens' are ignored, so that node-postgres may pass its connection parameters.
 *
 * Rejects with `ConfigurationError`, `AuthenticationError`, `CredentialError` or `ConnectionError`.
 */
export function getToken(options?: TokenOptions | object): Promise<string> {
  return getCredential(options).then((credential) => credential.token)
}

/** The same with its expiry. `refresh` fetches a new one even if the cached one is still good. */
export function getCredential(options?: TokenOptions | object, { refresh = false } = {}): Promise<Credential> {
  return new Promise<Credential>((resolve, reject) => {
    const request = expect({
      event: (event) => event.event === 'token' && resolve({ token: event.token, expiresAt: new Date(event.expiresAt) }),
      fail: reject,
    })
    environment.token(request, encodeOptions(withoutDatabricksOptions(options ?? {})), environmentVariables(), refresh)
  }).catch(restack)
}

/**
 * A `postgres://` URL with a fresh token as its password, for tools that take nothing else. The token is good for new connections until it
 * expires (an hour, usually). Secret.
 *
 * Its `sslmode` is `verify-full` unless another mode is configured: with `require`, libpq and postgres.js would not verify the server. psql
 * and other users of libpq need to know whom to trust then: `PGSSLROOTCERT=system`, or the path of a file of certificates.
 */
export async function getDatabaseUrl(options?: LakebasePoolOptions): Promise<string> {
  let encoded = encodeOptions(withoutDatabricksOptions(options ?? {}))
  const { connectionString, password } = JSON.parse(encoded) as { connectionString?: unknown; password?: { $function?: true } }
  if (typeof connectionString === 'string' && connectionString) return connectionString
  // A function cannot cross: asked here, as a pool would ask it for a connection.
  if (password?.$function && typeof options?.password === 'function') {
    encoded = encodeOptions({ ...(JSON.parse(encoded) as object), password: (await options.password()) ?? '' })
  }
  return new Promise<string>((resolve, reject) => {
    const request = expect({ event: (event) => event.event === 'url' && resolve(event.url), fail: reject })
    environment.databaseUrl(request, encoded, environmentVariables())
  }).catch(restack)
}
