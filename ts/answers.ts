/** Hands the answers and events of Rust to the requests and listeners they are for. src/batch/mod.rs documents the layout of a batch. */

import { ERROR, EVENT, RESPONSE, SENT, TUNNEL } from './contract.js'
import { toError, type WireError } from './errors.js'
import type { AnswerEvent, AuthenticationEvent, PoolEvent, ProxyWireEvent, WireEvent } from './events.js'
import { Shape, unreadable, type Cursor } from './rows.js'
import { readResult, Result, type RowOptions } from './result.js'

/** What is done with the answer to a request. */
export interface Waiting {
  /** How its rows are wanted. */
  readonly options?: RowOptions
  /** A query's answer. `error`: the query ran, its rows could not be made; what a type parser threw, for example. */
  respond?(results: Result[], connection: number, status: string, error: unknown): void
  /** Messages of the server that came through a tunnel. */
  receive?(bytes: Buffer): void
  /** So many bytes have left through it. */
  sent?(count: number): void
  /** Any other answer. */
  event?(event: AnswerEvent): void
  /** `status`: the transaction's state behind the failure; empty when the connection gave none, as when it was lost. */
  fail(error: Error, status: string): void
  /** Makes the error for `fail`, where it is not the usual one. */
  readonly toError?: (wire: WireError) => Error
}

/** Takes the events of a pool, of a client without a pool, or of a proxy. */
export type Listener<Heard = PoolEvent | ProxyWireEvent> = (event: Heard) => void

/** Words of a frame's header, and of a result's. */
const HEADER = 8

const waiting: (Waiting | undefined)[] = [undefined]
const free: number[] = []
const listeners = new Map<number, Listener>()
const shapes = new Map<number, Shape>()
const noOptions: RowOptions = {}

let holds = 0
// Keeps the process alive while something is held: Rust's wake-ups do not, so that an idle pool need not.
let anchor: NodeJS.Timeout | undefined

/** Something begins (1) or ends (-1) that the process must stay alive for. */
export function hold(change: 1 | -1): void {
  holds += change
  if (holds === 1 && change === 1) {
    anchor ??= setInterval(() => {}, 0x7fffffff)
    anchor.ref()
  } else if (holds === 0) {
    anchor?.unref()
  }
}

/** Registers a request; returns its number. */
export function expect(who: Waiting): number {
  const request = free.pop() ?? waiting.length
  waiting[request] = who
  hold(1)
  return request
}

/** Fails a request that is not sent to Rust, later, as Rust would. */
export function refuse(request: number, error: Error): void {
  setImmediate(() => take(request)?.fail(error, ''))
}

/** Registers a listener for the events of a pool or a lone client; returns its number. */
export function listen<Heard extends PoolEvent | ProxyWireEvent = PoolEvent>(listener: Listener<Heard>): number {
  const pool = nextPool++
  // Rust sends a number the events of what it was given for.
  listeners.set(pool, listener as Listener)
  return pool
}
let nextPool = 1

/** Registers the listener that answers questions of authentication methods. */
export function onQuestion(listener: (event: AuthenticationEvent) => void): void {
  questioned = listener
}
let questioned: ((event: AuthenticationEvent) => void) | undefined

export function unlisten(pool: number): void {
  listeners.delete(pool)
}

function take(request: number): Waiting | undefined {
  const who = waiting[request]
  if (who) {
    waiting[request] = undefined
    free.push(request)
    hold(-1)
  }
  return who
}

/** Hands out what is in a batch, whose frames lie from word `position` to `end`. A frame that cannot be read fails its own request only. */
export function read(cursor: Cursor, position: number, end: number): void {
  const { words } = cursor
  while (position < end) {
    const length = words[position + 2]!
    const next = position + length
    if (!(length >= HEADER && next <= end)) return failAll()
    cursor.seek(position + HEADER, next, words[position + 3]!, words[position + 4]!, words[position + 7]!)
    const request = words[position]!
    const kind = words[position + 1]!
    try {
      readFrame(cursor, request, kind, words[position + 5]!, words[position + 6]!)
    } catch (error) {
      failUnread(request, kind >> 8, error)
    }
    position = next
  }
}

function readFrame(cursor: Cursor, request: number, kind: number, detail: number, connection: number): void {
  switch (kind & 0xff) {
    case RESPONSE:
      return respond(cursor, request, detail, connection, statusOf(kind >> 8))
    case ERROR: {
      const wire = JSON.parse(cursor.text(detail)) as WireError
      const who = waiting[request]
      if (who) fail(request, (who.toError ?? toError)(wire), kind >> 8)
      return
    }
    case EVENT:
      return dispatch(request, JSON.parse(cursor.text(detail)) as WireEvent)
    case TUNNEL: {
      const bytes = Buffer.from(cursor.text(detail), 'latin1')
      return shielded(() => waiting[request]?.receive?.(bytes))
    }
    case SENT:
      return shielded(() => waiting[request]?.sent?.(detail))
    default:
      throw unreadable()
  }
}

function respond(cursor: Cursor, request: number, count: number, connection: number, status: string): void {
  const who = waiting[request]
  if (!who) return
  if (!who.respond) throw unreadable()
  const options = who.options ?? noOptions
  const results: Result[] = []
  let failure: unknown
  try {
    cursor.demand(count * HEADER)
    for (let i = 0; i < count; i++) {
      const result = new Result(options.rowMode)
      results.push(result)
      readResult(result, cursor, shapes, options, who.toError ?? toError)
    }
  } catch (thrown) {
    // The caller checks whether there is an error, so it must not be falsy.
    failure = thrown || new Error(`a type parser threw ${String(thrown) || 'an empty text'}`)
  }
  take(request)
  try {
    who.respond(results, connection, status, failure)
  } catch (error) {
    rethrow(error)
  }
}

function fail(request: number, error: Error, status: number): void {
  const who = take(request)
  if (who) shielded(() => who.fail(error, statusOf(status)))
}

function statusOf(character: number): string {
  return character ? String.fromCharCode(character) : ''
}

/** A frame could not be read: its request fails. */
function failUnread(request: number, status: number, cause: unknown): void {
  const error = unreadable(cause)
  if (waiting[request]) fail(request, error, status)
  else process.emitWarning(error)
}

/** Where the next frame begins is not known, so every request may have lost its answer: all fail. */
function failAll(): void {
  for (let request = 1; request < waiting.length; request++) fail(request, unreadable(), 0)
}

function dispatch(request: number, event: WireEvent): void {
  switch (event.event) {
    case 'shape':
      shapes.set(event.shape, new Shape(event.fields, event.kinds))
      break
    case 'forgetShapes':
      shapes.clear()
      break
    case 'askProvider':
    case 'askIdToken':
    case 'askVariable':
    case 'fetching':
    case 'fetched':
    case 'fetchFailed':
    case 'located':
    case 'warning':
      shielded(() => questioned?.(event))
      break
    case 'checkout':
    case 'done':
    case 'token':
    case 'url':
    case 'user':
    case 'listening':
    case 'workspace':
      return answer(request, event)
    default:
      // Events of pools answer no request.
      if (waiting[request]) throw unreadable()
      shielded(() => listeners.get(event.pool)?.(event))
  }
}

function answer(request: number, event: AnswerEvent): void {
  const who = waiting[request]
  if (who && !who.event) throw unreadable()
  take(request)
  shielded(() => who?.event?.(event))
}

/** What a callback or listener throws is an uncaught exception; the next answers are handed out all the same. */
function shielded(call: () => void): void {
  try {
    call()
  } catch (error) {
    rethrow(error)
  }
}

function rethrow(error: unknown): void {
  process.nextTick(() => {
    throw error
  })
}
