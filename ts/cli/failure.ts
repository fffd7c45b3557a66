/** How a command fails: exit codes, and errors of the command line's own. */

/** Documented in docs/cli.md. `exec` ends as the command that it ran. */
export const exitCodes = {
  success: 0,
  /** What the command was to do or to find out went wrong: a check of `doctor`, a migration's file. */
  failure: 1,
  /** The arguments are wrong. */
  usage: 2,
  /** Options, variables or a profile are wrong or missing. */
  configuration: 3,
  /** The workspace or PostgreSQL refused the identity, or gave no credential. */
  authentication: 4,
  /** No connection, or not in time. */
  connection: 5,
  /** PostgreSQL answered with an error. */
  database: 6,
  /** `exec`: the command was found but cannot be run. */
  notExecutable: 126,
  /** `exec`: there is no such command. */
  notFound: 127,
  /** Ctrl-C, as shells count it. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes]

/** A failure that the command line found itself. Its message never holds a secret. */
export class Failure extends Error {
  override name = 'Failure'
  readonly exitCode: ExitCode
  /** What to do next: a command, mostly. */
  readonly hint: string | undefined
  readonly code: string | undefined

  constructor(message: string, { exitCode = exitCodes.failure, hint, code, cause }: { exitCode?: ExitCode; hint?: string; code?: string; cause?: unknown } = {}) {
    super(message, { cause })
    this.exitCode = exitCode
    this.hint = hint
    this.code = code
  }
}

/** By the names of ts/errors.ts: a command that fails before it needs the core does not load it. */
const byName: Record<string, ExitCode> = {
  ConfigurationError: exitCodes.configuration,
  AuthenticationError: exitCodes.authentication,
  CredentialError: exitCodes.authentication,
  ConnectionError: exitCodes.connection,
  TimeoutError: exitCodes.connection,
  ProtocolError: exitCodes.connection,
}

export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof Failure) return error.exitCode
  if (!(error instanceof Error)) return exitCodes.failure
  // PostgreSQL's errors have a severity and a SQLSTATE.
  if ('severity' in error) return exitCodes.database
  return byName[error.name] ?? exitCodes.failure
}
