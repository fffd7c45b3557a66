/** What goes wrong on request: registered by tests, asked for by the workspace API and the front at the point where it would happen. */

import type { WireError } from './messages.js'

/** Removes the fault; nothing happens when it is already used up. */
export type ClearFault = () => void

interface Limited {
  /** How often it happens. Default: until cleared. */
  times?: number
}

/** A failure of the workspace API. */
export type ApiFault = Limited & {
  /** Only calls of this path, such as `/oidc/v1/token`, or of paths that match. Default: every call. */
  path?: string | RegExp
} & (
    | {
        /** Answers with an HTTP status in place of doing the work. */
        kind: 'status'
        status: number
        /** Value of the `Retry-After` header. Default: no header. */
        retryAfterSeconds?: number
        /** Value of the `Location` header, for a redirect. Default: no header. */
        location?: string
        /** Text of the error. Default: one that fits the status. */
        message?: string
      }
    /** Status 200 with a body that is not JSON: `body`, or a JSON text that breaks off. */
    | { kind: 'malformed'; body?: string }
    /** The answer lacks these top-level fields. Default: all. */
    | { kind: 'missing'; fields?: string[] }
    /** The answer says that the token expired an hour ago. */
    | { kind: 'expired' }
    /** Answers in the ordinary way, this many milliseconds late. */
    | { kind: 'delay'; millis: number }
    /** Answers byte by byte, with this many milliseconds between two. */
    | { kind: 'drip'; millis: number }
    /** Takes the request and never answers. */
    | { kind: 'hang' }
    /** Takes the request and resets the TCP connection. */
    | { kind: 'reset' }
  )

/**
 * Points in a database connection's life:
 * `connect`: TCP is open; `tls`: TLS was promised and the client's first TLS bytes are there; `startup`: user and database are
 * known, the password was not asked for; `login`: the password was right.
 */
export type LoginStage = 'connect' | 'tls' | 'startup' | 'login'

/** Errors with the texts of PostgreSQL and of the open-source Neon proxy. */
const errors = {
  'starting-up': { code: '57P03', message: 'the database system is starting up' },
  'too-many-connections': { code: '53300', message: 'sorry, too many clients already' },
  'compute-unreachable': { code: 'XX000', severity: 'ERROR', message: "Couldn't connect to compute node" },
  'too-many-attempts': { code: 'XX000', severity: 'ERROR', message: 'Too many connections attempts' },
  'unknown-endpoint': {
    code: 'XX000',
    severity: 'ERROR',
    message: 'The requested endpoint could not be found, or you don\'t have access to it. Please check the provided ID and try again.',
  },
  'endpoint-disabled': { code: 'XX000', severity: 'ERROR', message: 'endpoint is disabled' },
} as const satisfies Record<string, WireError>

export type LoginErrorName = keyof typeof errors

/** A failure of new database connections. Open ones are ended with the emulator's `terminateConnections` and `dropConnections`. */
export type DatabaseFault = Limited &
  (
    | {
        /** Answers the login with an ErrorResponse: one of the named, or any. */
        kind: 'error'
        error: LoginErrorName | WireError
        /** Default `startup`. */
        at?: 'startup' | 'login'
      }
    /** Resets the TCP connection. */
    | { kind: 'reset'; at: LoginStage }
    /** Closes the connection in order, without a word. */
    | { kind: 'close'; at: LoginStage }
    /** Says nothing more. */
    | { kind: 'hang'; at: LoginStage }
  )

/** The text of a named error, or the given one. */
export function wireError(error: LoginErrorName | WireError): WireError {
  return typeof error === 'string' ? errors[error] : error
}

/** Faults in the order in which they were registered; each call or connection meets the first that fits. */
export class Faults {
  private readonly apiFaults: Shelf<ApiFault> = new Shelf()
  private readonly databaseFaults: Shelf<DatabaseFault> = new Shelf()

  /** The workspace API fails from now on. */
  api(fault: ApiFault): ClearFault {
    return this.apiFaults.add(fault)
  }

  /** New database connections fail from now on. */
  database(fault: DatabaseFault): ClearFault {
    return this.databaseFaults.add(fault)
  }

  /** Removes every fault. */
  clear(): void {
    this.apiFaults.clear()
    this.databaseFaults.clear()
  }

  /** @internal The fault that a call of `path` meets, used once. */
  takeApi(path: string): ApiFault | undefined {
    return this.apiFaults.take((fault) => {
      if (fault.path === undefined) return true
      return typeof fault.path === 'string' ? fault.path === path : path.search(fault.path) >= 0
    })
  }

  /** @internal The fault that a connection meets at `stage`, used once. */
  takeDatabase(stage: LoginStage): DatabaseFault | undefined {
    return this.databaseFaults.take((fault) => (fault.at ?? 'startup') === stage)
  }
}

class Shelf<Fault extends Limited> {
  private entries: { fault: Fault; left: number }[] = []

  add(fault: Fault): ClearFault {
    const entry = { fault, left: fault.times ?? Number.POSITIVE_INFINITY }
    this.entries.push(entry)
    return () => this.remove(entry)
  }

  take(fits: (fault: Fault) => boolean): Fault | undefined {
    const entry = this.entries.find(({ fault, left }) => left > 0 && fits(fault))
    if (entry && --entry.left <= 0) this.remove(entry)
    return entry?.fault
  }

  clear(): void {
    this.entries = []
  }

  private remove(entry: { fault: Fault; left: number }): void {
    this.entries = this.entries.filter((other) => other !== entry)
  }
}
