/** A workspace client of Databricks' SDK as a way to authenticate, and a logger to tell: options that `@databricks/lakebase` has. */

import type { AuthProvider } from './auth/questions.js'
import { AuthenticationError } from './errors.js'
import type { TokenOptions } from './config/options.js'

/** What is used of the SDK's `WorkspaceClient` (`@databricks/sdk-experimental`). */
export interface WorkspaceClient {
  readonly config?: WorkspaceClientConfig
  readonly apiClient: { request(options: WorkspaceRequest): Promise<unknown> }
  readonly currentUser: { me(): Promise<{ userName?: string | undefined }> }
}

/** The client's own settings. */
export interface WorkspaceClientConfig {
  /** The workspace's URL. */
  host?: string | undefined
  /** Adds the header `Authorization`. */
  authenticate(headers: Headers): Promise<void>
}

/** A call of a workspace's API, as the SDK has it. */
export interface WorkspaceRequest {
  path: string
  method: 'POST' | 'GET' | 'HEAD' | 'DELETE' | 'PATCH' | 'PUT'
  headers: Headers
  raw: boolean
  payload?: unknown
}

/** Told what a pool does. */
export interface Logger {
  debug(message: string, ...args: unknown[]): void
  info(message: string, ...args: unknown[]): void
  warn(message: string, ...args: unknown[]): void
  error(message: string, ...args: unknown[]): void
}

/** The levels that go to the console. */
export interface LoggerConfig {
  debug?: boolean
  info?: boolean
  warn?: boolean
  error?: boolean
}

/** Options that are of `@databricks/lakebase`; none of them reaches Rust. */
export interface DatabricksOptions {
  /** Asks the workspace for tokens in place of this package: a `WorkspaceClient` of `@databricks/sdk-experimental`. */
  workspaceClient?: WorkspaceClient
  /** Accepted, and without effect yet. */
  telemetry?: boolean | { traces?: boolean; metrics?: boolean }
  /** Told of credentials (`debug`) and of idle connections that are lost (`error`); or the levels of these that go to the console. */
  logger?: Logger | LoggerConfig
}

/** One function for each client, since the function is the identity under which tokens are cached. */
const providers = new WeakMap<WorkspaceClient, AuthProvider>()

function providerOf(client: WorkspaceClient): AuthProvider {
  let provider = providers.get(client)
  if (!provider) {
    provider = async () => {
      const headers = new Headers()
      await client.config?.authenticate(headers)
      const [, token] = /^Bearer (.+)$/i.exec(headers.get('authorization') ?? '') ?? []
      if (token === undefined) throw new AuthenticationError('the workspaceClient gave no bearer token')
      return { token }
    }
    providers.set(client, provider)
  }
  return provider
}

/** The options that Rust reads, with the workspace client as the way to authenticate. */
export function withoutDatabricksOptions<O extends TokenOptions>(options: O): O {
  if (typeof options !== 'object' || options === null || !('workspaceClient' in options || 'telemetry' in options)) return options
  const { workspaceClient, telemetry: _telemetry, ...others } = options as O & DatabricksOptions
  // One that has no settings is this package's own, which authenticates as the options say.
  if (!workspaceClient?.config) return others as O
  const host = workspaceClient.config.host
  return { ...others, ...(host && { databricksHost: host }), authType: 'auth-provider', authProvider: providerOf(workspaceClient) } as unknown as O
}

const silent = (): void => {}
const levels = ['debug', 'info', 'warn', 'error'] as const

/** The logger that is given, or one that writes the levels that are given to the console. */
export function toLogger(given: Logger | LoggerConfig): Logger {
  if (levels.every((level) => typeof given[level] === 'function')) return given as Logger
  const chosen = levels.map((level) => [level, given[level] ? console[level].bind(console) : silent])
  return Object.fromEntries(chosen) as unknown as Logger
}
