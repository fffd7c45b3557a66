/** What node-postgres' settings mean to the core: they are resolved here, so it sees neither `PG*` variables nor the string. */

import { encodeOptions } from './encode.js'
import type { ConnectionOptions, PoolingOptions } from './options.js'
import type { ConnectionParameters } from './connection-parameters.js'

/** The startup message's parameters. */
export function startupOf(parameters: ConnectionParameters): Record<string, string> {
  const { user, database, application_name, fallback_application_name, replication, options } = parameters
  const startup: Record<string, string> = { user, database }
  const name = application_name || fallback_application_name
  if (name) startup.application_name = name
  if (replication) startup.replication = `${replication}`
  for (const bound of ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const) {
    if (parameters[bound]) startup[bound] = String(Number.parseInt(String(parameters[bound]), 10))
  }
  if (options) startup.options = options
  return startup
}

/** The options of one connection, for `Environment.openClient`. */
export function coreOptions(parameters: ConnectionParameters, given: ConnectionOptions): string {
  return encodeOptions(connectionSettings(parameters, given))
}

/** The options of a pool, for `Environment.openPool`. */
export function corePoolOptions(parameters: ConnectionParameters, given: ConnectionOptions & PoolingOptions): string {
  const { max, min, idleTimeoutMillis, maxUses, allowExitOnIdle, maxPipeline, pipelineWrites } = given
  const pooling = { max, min, idleTimeoutMillis, maxUses, allowExitOnIdle, maxPipeline, pipelineWrites }
  return encodeOptions({ ...connectionSettings(parameters, given), ...pooling })
}

function connectionSettings(parameters: ConnectionParameters, given: ConnectionOptions): object {
  const { user, database, host, port, password, ssl, sslnegotiation, replication } = parameters
  const { application_name, fallback_application_name, options } = parameters
  const { statement_timeout, lock_timeout, idle_in_transaction_session_timeout } = parameters
  const { enableChannelBinding, keepAlive, keepAliveInitialDelayMillis, connectionTimeoutMillis, statementCacheSize } = given
  const { stream } = given as { stream?: unknown }
  // Ignored, it would connect to somewhere else.
  if (stream) throw new Error('The option `stream` is not supported: sockets are opened in Rust')
  const core: Record<string, unknown> = {
    user, database, host, port, password: password === null ? passwordFile : password, ssl: coreSsl(ssl), sslnegotiation, replication,
    application_name, fallback_application_name, options,
    statement_timeout, lock_timeout, idle_in_transaction_session_timeout,
    enableChannelBinding, scramMaxIterations: roundsOf(given), keepAlive, keepAliveInitialDelayMillis, connectionTimeoutMillis, statementCacheSize,
  }
  for (const name of Object.keys(core)) if (core[name] === null || core[name] === '') delete core[name]
  return core
}

function coreSsl(ssl: unknown): unknown {
  if (!ssl || typeof ssl !== 'object') return Boolean(ssl)
  return visible(ssl)
}

/** Crosses as the marker of a function: nobody looks into the password file before the server asks. */
const passwordFile = (): void => {}

/** `scramMaxIterations`; what is no number counts as not given. */
function roundsOf(options: object): number | undefined {
  const { scramMaxIterations: given } = options as { scramMaxIterations?: number | string }
  const rounds = typeof given === 'string' && given.trim() !== '' ? Number(given) : given
  return typeof rounds === 'number' && Number.isFinite(rounds) && rounds >= 0 ? Math.floor(rounds) : undefined
}

/** With what is hidden from printing (`hideKeys`). */
function visible(hidden: object): Record<string, unknown> {
  const names = Object.getOwnPropertyNames(hidden)
  return Object.fromEntries(names.map((name) => [name, (hidden as Record<string, unknown>)[name]]).filter(([, value]) => value !== undefined))
}

/** The environment without node-postgres' variables: they are in the options already. */
export function coreVariables(): string {
  return JSON.stringify(Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG'))))
}
