/** The errors a caller can meet. Each is made in Rust and becomes a JavaScript error here, once. */

import type { DatabaseError } from 'pg-protocol'
import type { ErrorKind } from './contract.js'

/** One thing that is wrong with the configuration. */
export interface ConfigurationProblem {
  /** The option, for example `max`. */
  option: string | null
  /** The environment variable that gave the value or could give it. */
  variable: string | null
  /** What was found; secrets are described, never shown. */
  found: string | null
  /** What would be right. */
  expected: string
}

/** The form in which src/batch writes an error. */
export interface WireError {
  kind: ErrorKind
  message: string
  code: string | null
  hint: string | null
  status: number | null
  problems: ConfigurationProblem[]
  server: Record<string, string | number | null> | null
  cause: string | null
  /** Of `caller`: the number that `keepError` gave. */
  caller?: number | null
  /** What the operating system said, once per address that was tried. */
  system?: SystemFailure[]
  /** The query that failed with it certainly never ran. */
  neverRan?: boolean
}

/** One failed attempt, with Node.js' names. */
export interface SystemFailure {
  syscall: string
  code: string
  errno: number | null
  address: string | null
  port: number | null
}

/** What the errors of this package have in common. PostgreSQL's own errors are node-postgres' `DatabaseError`. */
export class LakebaseError extends Error {
  override name = 'LakebaseError'
  /** A code to branch on: `ECONNREFUSED`, `28P01`, `CONNECTION_TIMEOUT`, … */
  declare code?: string
  /** What to do next. Part of the message, too. */
  declare hint?: string
}

/** Options or environment variables are wrong. Thrown by `createLakebasePool()` and `getToken()`. */
export class ConfigurationError extends LakebaseError {
  override name = 'ConfigurationError'
  /** Every problem that was found. */
  problems: ConfigurationProblem[] = []
}

/** The workspace or PostgreSQL refused who we are. */
export class AuthenticationError extends LakebaseError {
  override name = 'AuthenticationError'
  /** The status of the workspace's answer, if it was the workspace. */
  declare status?: number
}

/** The workspace could not give a token or a database credential. */
export class CredentialError extends LakebaseError {
  override name = 'CredentialError'
  /** The status of the workspace's answer. */
  declare status?: number
}

/** A connection could not be made, or was lost. */
export class ConnectionError extends LakebaseError {
  override name = 'ConnectionError'
}

/** A bound set by an option has passed. */
export class TimeoutError extends LakebaseError {
  override name = 'TimeoutError'
}

/** The server's bytes are not PostgreSQL's protocol. */
export class ProtocolError extends LakebaseError {
  override name = 'ProtocolError'
}

/** A query ran, but JavaScript cannot hold its result. */
export class ResultError extends LakebaseError {
  override name = 'ResultError'
}

/** A defect in this package: please report it. */
export class InternalError extends LakebaseError {
  override name = 'InternalError'
}

const classes: Partial<Record<ErrorKind, new (message: string) => LakebaseError>> = {
  configuration: ConfigurationError,
  authentication: AuthenticationError,
  credential: CredentialError,
  connection: ConnectionError,
  connectionLost: ConnectionError,
  timeout: TimeoutError,
  checkoutTimeout: TimeoutError,
  protocol: ProtocolError,
  result: ResultError,
  internal: InternalError,
}

/** Errors of callers' own functions (`password`, `onConnect`), which cross Rust as numbers and come back as they are. Old ones make room. */
const kept = new Map<number, unknown>()
const MAX_KEPT = 1_000
let keptCount = 0

/** Keeps an error on this side; returns the number that stands for it in Rust. */
export function keepError(error: unknown): number {
  keptCount = (keptCount + 1) % 2 ** 32
  kept.set(keptCount, error)
  if (kept.size > MAX_KEPT) kept.delete(kept.keys().next().value!)
  return keptCount
}

/** The caller's own error that `wire` stands for, if it does. */
export function keptError(wire: WireError): Error | undefined {
  return wire.kind === 'caller' ? (kept.get(wire.caller!) as Error | undefined) : undefined
}

const neverRan = new WeakSet<Error>()

/** Whether the query that failed with this error certainly never ran: its connection ended before it came to it. */
export function hasNeverRun(error: unknown): boolean {
  return error instanceof Error && neverRan.has(error)
}

/** The error that Rust describes. */
export function toError(wire: WireError): Error {
  const error = errorOf(wire)
  if (wire.neverRan) neverRan.add(error)
  return error
}

function errorOf(wire: WireError): Error {
  if (wire.kind === 'caller' && kept.has(wire.caller!)) return kept.get(wire.caller!) as Error
  if (wire.kind === 'database' && wire.server) return databaseError(wire.server)
  const kind = classes[wire.kind]
  if (!kind) return new Error(wire.message)
  const error = new kind(wire.hint ? `${wire.message} (${wire.hint})` : wire.message)
  if (wire.code) error.code = wire.code
  if (wire.hint) error.hint = wire.hint
  if (wire.cause) error.cause = new Error(wire.cause)
  if (wire.status !== null && (error instanceof AuthenticationError || error instanceof CredentialError)) error.status = wire.status
  if (error instanceof ConfigurationError) error.problems = wire.problems
  if (wire.server && wire.kind !== 'database') error.cause = databaseError(wire.server)
  return error
}

const serverFields = [
  'severity',
  'code',
  'detail',
  'hint',
  'position',
  'internalPosition',
  'internalQuery',
  'where',
  'schema',
  'table',
  'column',
  'dataType',
  'constraint',
  'file',
  'line',
  'routine',
] as const

/** node-postgres' own class, so that `instanceof pg.DatabaseError` holds. Loaded with the first error: most processes never need it. */
export function databaseError(server: NonNullable<WireError['server']>): DatabaseError {
  const { DatabaseError } = require('pg-protocol') as typeof import('pg-protocol')
  const error = new DatabaseError(String(server.message), Number(server.length), 'error')
  assignServerFields(error, server)
  return error
}

/** Gives an error or a notice the server's fields, in node-postgres' order. */
export function assignServerFields(
  target: { [field in (typeof serverFields)[number]]?: string | undefined },
  server: NonNullable<WireError['server']>,
): void {
  for (const field of serverFields) {
    const value = server[field]
    target[field] = value === null || value === undefined ? undefined : String(value)
  }
}

/** Gives the error the stack of the caller that awaits the promise, instead of that of the batch's reader. */
export function restack(error: unknown): never {
  if (error instanceof Error) Error.captureStackTrace(error, restack)
  throw error
}
