/** Node-postgres' settings once they are read (connection-parameters.ts), as Rust takes them and as the server is told them. */

import type { ConnectionParameters } from './connection-parameters.js'
import { encodeOptions } from './encode.js'
import type { ConnectionOptions, PoolingOptions } from './options.js'

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

/** The settings of one connection, for `Environment.openClient`. */
export function clientSettings(parameters: ConnectionParameters, given: ConnectionOptions): string {
  return encodeOptions(connectionSettings(parameters, given))
}

/** The settings of a pool, for `Environment.openPool`. */
export function poolSettings(parameters: ConnectionParameters, given: ConnectionOptions & PoolingOptions): string {
  const { max, min, idleTimeoutMillis, maxUses, maxPipeline, pipelineWrites } = given
  return encodeOptions({
    ...connectionSettings(parameters, given),
    max: whole(max),
    min: Math.min(whole(min || 0) as number, whole(max) as number) || 0,
    // pg-pool closes idle connections only where this is truthy.
    idleTimeoutMillis: whole(idleTimeoutMillis || 0),
    maxUses: whole(maxUses),
    maxPipeline: whole(maxPipeline),
    pipelineWrites: Boolean(pipelineWrites),
  })
}

function connectionSettings(parameters: ConnectionParameters, given: ConnectionOptions): object {
  const { user, database, host, port, password, ssl, sslnegotiation, replication } = parameters
  const { application_name, fallback_application_name, options } = parameters
  const { enableChannelBinding, keepAlive, keepAliveInitialDelayMillis, connectionTimeoutMillis, statementCacheSize } = given
  const { stream } = given as { stream?: unknown }
  // Ignored, it would connect to somewhere else.
  if (stream) throw new Error('The option `stream` is not supported: sockets are opened in Rust')
  const settings: Record<string, unknown> = {
    user, database, host, port, password: password === null ? passwordFile : password, ssl: sslSettings(ssl), sslnegotiation,
    replication: replication && `${replication}`,
    application_name: application_name || fallback_application_name, options,
    statement_timeout: whole(parameters.statement_timeout), lock_timeout: whole(parameters.lock_timeout),
    idle_in_transaction_session_timeout: whole(parameters.idle_in_transaction_session_timeout),
    enableChannelBinding: Boolean(enableChannelBinding), scramMaxIterations: roundsOf(given),
    keepAlive: Boolean(keepAlive), keepAliveInitialDelayMillis: whole(keepAliveInitialDelayMillis),
    connectionTimeoutMillis: whole(connectionTimeoutMillis), statementCacheSize: whole(statementCacheSize),
  }
  for (const name of Object.keys(settings)) if (settings[name] === null || settings[name] === '') delete settings[name]
  return settings
}

/** Node-postgres takes fractions, which end up as timers or are parsed as whole numbers by the server. */
function whole(value: unknown): unknown {
  return typeof value === 'number' ? Math.trunc(value) : value
}

function sslSettings(ssl: unknown): unknown {
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
