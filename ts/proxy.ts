/** A proxy on the loopback address that lets local tools (psql, DBeaver, drizzle-kit) log in without a token. */

import { offPoolNews, onPoolNews, warn } from './auth/questions.js'
import { encodeOptions, environmentVariables } from './config/encode.js'
import { environment, expect, hold, listen, unlisten } from './environment.js'
import { restack, toError } from './errors.js'
import type { AnswerEvent, ProxyWireEvent } from './events.js'
import type { LakebasePoolOptions } from './lakebase-options.js'

const UNVERIFIED = 'sslMode prefer, no-verify and disable do not check who the database server is: a password may go to anybody'

export interface ProxyOptions {
  /** A loopback address: `127.0.0.1` (default), `::1`. Any other is refused. */
  address?: string
  /** 0 is any free port. Default 0. */
  port?: number
  /** What clients have to know (SCRAM-SHA-256), printable ASCII. Default: whoever reaches the port may log in. */
  password?: string
  onEvent?: (event: ProxyEvent) => void
}

/** What a client asked for, in its own words: control characters and all. */
export interface ProxyClient {
  /** Counts the clients of this process from 1. */
  client: number
  /** The client's address and port. */
  peer: string
  /** The name the client gave itself. The session's user is the credential's. */
  user: string
  database: string
  applicationName: string | null
}

export type ProxyEvent =
  /** A client has a session. `processId` is PostgreSQL's; `loginMillis` how long the login to the database took. */
  | ({ event: 'opened'; processId: number; loginMillis: number } & ProxyClient)
  /** A client got no session, and heard why. */
  | ({ event: 'refused'; error: Error } & ProxyClient)
  /** A session is over. Bytes are counted from the client's side. */
  | { event: 'closed'; client: number; lastedMillis: number; sent: number; received: number }
  /** A database credential was fetched: how the identity authenticated, and when PostgreSQL stops accepting it for new logins. */
  | { event: 'token'; method: string; expiresAt: Date }
  /** A client's cancel request was passed on, or why it was not. `client` is null when it named no session. */
  | { event: 'canceled'; client: number | null; error: Error | null }

export interface RunningProxy {
  /** Where it listens. */
  readonly address: string
  readonly port: number
  /** What a client should name: the database and the user of the configuration. */
  readonly database: string
  readonly user: string
  /** `host:port` of the database. */
  readonly server: string
  /** Stops listening and ends the clients' sessions. Further calls wait for the first. */
  close(): Promise<void>
}

/**
 * Starts a proxy for what a pool with the same options would connect to. Keeps the process alive until `close()`.
 *
 * Rejects with `ConfigurationError` and what a lookup of the host can fail with; with code `EADDRINUSE` when the port is taken, and
 * `PROXY_ADDRESS` for an address that is not loopback. Logging in begins with the first client.
 */
export async function startProxy(options: LakebasePoolOptions, { address = '127.0.0.1', port = 0, password, onEvent }: ProxyOptions = {}): Promise<RunningProxy> {
  const number = listen<ProxyWireEvent>((event) => onEvent?.(readEvent(event)))
  onPoolNews(number, (event) => {
    if (event.event === 'fetched') onEvent?.({ event: 'token', method: event.method, expiresAt: new Date(event.expiresAt) })
  })
  const forget = (): void => {
    offPoolNews(number)
    unlisten(number)
  }
  let listening: Listening
  try {
    listening = await new Promise<Listening>((resolve, reject) => {
      const request = expect({ event: (event) => event.event === 'listening' && resolve(event), fail: reject })
      environment.openProxy(number, request, encodeOptions(options), environmentVariables(), address, port, password ?? null)
    }).catch(restack)
  } catch (error) {
    forget()
    throw error
  }
  if (!listening.verified) warn(UNVERIFIED)
  hold(1)
  let closed: Promise<void> | undefined
  const close = (): Promise<void> =>
    new Promise<AnswerEvent>((resolve, reject) => environment.closeProxy(number, expect({ event: resolve, fail: reject }))).then(() => {
      forget()
      hold(-1)
    })
  const { host, port: bound, database, user, server } = listening
  return { address: host, port: bound, database, user, server, close: () => (closed ??= close()) }
}

type Listening = Extract<AnswerEvent, { event: 'listening' }>

function readEvent({ pool: _, ...event }: ProxyWireEvent): ProxyEvent {
  if (event.event === 'refused') return { ...event, error: toError(event.error) }
  if (event.event === 'canceled') return { ...event, error: event.error && toError(event.error) }
  return event as ProxyEvent
}
