/** What Rust sends besides answers to queries: `Event` in src/batch/event.rs, which documents each. */

import type { EventFields } from './contract.js'
import type { WireError } from './errors.js'

/** PostgreSQL's fields of an error or a notice. */
export type ServerMessage = NonNullable<WireError['server']>

/** A connection is there. `own`: it was made for one caller, who asked for it. `awaited`: Rust waits for `prepared()`. */
export interface ConnectEvent {
  event: 'connect'
  pool: number
  connection: number
  own: boolean
  awaited: boolean
  processId: number
  secretKey: number
  parameters: [string, string][]
  notices: ServerMessage[]
}

/** A connection has ended; without an error because this side closed it. */
export interface EndEvent {
  event: 'end'
  pool: number
  connection: number
  error: WireError | null
}

/** Whether these certificates, in base64, belong to the server `name`. */
export interface IdentityEvent {
  event: 'identity'
  pool: number
  question: number
  name: string
  certificates: string[]
}

/** What a way to authenticate asks for. Answered by `answer()`. */
export type AskEvent =
  | { event: 'askProvider'; question: number; function: string }
  | { event: 'askIdToken'; question: number; function: string; audience: string }
  | { event: 'askVariable'; question: number; name: string }

/** What was fetched or looked up for a pool. */
export type TokenNews =
  | { event: 'fetching'; pool: number }
  | { event: 'fetchFailed'; pool: number; error: WireError }
  | { event: 'fetched'; pool: number; method: string; expiresAt: number }
  | { event: 'located'; pool: number; host: string; user: string; database: string; schema: string | null }

/** What happens on a connection while it is open. */
export type ConnectionNews =
  | { event: 'error'; pool: number; connection: number; error: WireError }
  | { event: 'notice'; pool: number; connection: number; notice: ServerMessage }
  | { event: 'notification'; pool: number; connection: number; processId: number; channel: string; payload: string }

/** A client of a proxy. */
export interface ProxyClient {
  client: number
  peer: string
  user: string
  database: string
  applicationName: string | null
}

/** For a proxy, whose number is in `pool`. */
export type ProxyWireEvent =
  | ({ event: 'opened'; pool: number; processId: number; loginMillis: number } & ProxyClient)
  | ({ event: 'refused'; pool: number; error: WireError } & ProxyClient)
  | { event: 'closed'; pool: number; client: number; lastedMillis: number; sent: number; received: number }
  | { event: 'canceled'; pool: number; client: number | null; error: WireError | null }

/** For a pool, or a client without one. */
export type PoolEvent =
  | { event: 'connecting'; pool: number; attempt: number }
  | { event: 'connectEnded'; pool: number; attempt: number; connection: number | null; error: WireError | null }
  | ConnectEvent
  | EndEvent
  | ConnectionNews
  | { event: 'retire'; pool: number; connection: number }
  | { event: 'password'; pool: number; question: number }
  | IdentityEvent

/** The answer to a request that is no query. */
export type AnswerEvent =
  | { event: 'listening'; host: string; port: number; database: string; user: string; server: string; verified: boolean }
  | { event: 'workspace'; body: unknown; date: number | null; method: string; expiresAt: number | null; token: string | null }
  | { event: 'checkout'; connection: number }
  | { event: 'done' }
  | { event: 'token'; token: string; expiresAt: number }
  | { event: 'user'; user: string }
  | { event: 'url'; url: string }

/** For the ways to authenticate. */
export type AuthenticationEvent = AskEvent | TokenNews | { event: 'warning'; message: string }

/** For the reader of batches itself. */
export type ShapeEvent =
  | { event: 'shape'; shape: number; fields: [string, number, number, number, number, number, boolean][]; kinds: number[] }
  | { event: 'forgetShapes' }

export type WireEvent = PoolEvent | ProxyWireEvent | AnswerEvent | AuthenticationEvent | ShapeEvent

/** The connection that answers a request for one. */
export function connectionOf(event: AnswerEvent): number {
  if (event.event !== 'checkout') throw new TypeError(`the core answered with ${event.event} instead of a connection`)
  return event.connection
}

/** The names of what each event tells, as declared above. */
type Declared = { [E in WireEvent as E['event']]: Exclude<keyof E, 'event'> }

type Same<A, B> = [A] extends [B] ? ([B] extends [A] ? true : false) : false

/** Does not compile while one of the two languages knows an event, or a part of one, that the other does not. */
export type ContractHolds = Same<EventFields, Declared> extends true ? true : ['src/batch/event.rs and ts/events.ts differ', EventFields, Declared]
const holds: ContractHolds = true
void holds
