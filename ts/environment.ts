/** This JavaScript thread's line to Rust: numbered requests out, batches of answers and events in. */

import { toError, type WireError } from './errors.js'
import { native, type Environment } from './native.js'
import { Cursor, Shape } from './rows.js'
import { readResult, type Result, type RowOptions } from './result.js'

/** Somebody who waits for the answer to a request. */
export interface Waiting {
  /** How its rows are wanted. */
  readonly options?: RowOptions
  /** A query's answer. `error` is what a type parser threw: the query ran, its rows could not be made. */
  respond?(results: Result[], connection: number, status: string, error: unknown): void
  /** Messages of the server that came through a tunnel. */
  receive?(bytes: Buffer): void
  /** So many bytes have left through it. */
  sent?(count: number): void
  /** Any other answer. */
  event?(event: WireEvent): void
  /** `status`: the transaction's state behind the failure; empty when the connection gave none, as when it was lost. */
  fail(error: Error, status: string): void
  /** Makes the error for `fail`, where it is not the usual one. */
  readonly toError?: (wire: WireError) => Error
}

/** An event as Rust writes it. */
export interface WireEvent {
  event: string
  request?: number
  pool?: number
  connection?: number
  [detail: string]: unknown
}

/** Who is told of a pool's (or a lone client's) events. */
export type Listener = (event: WireEvent) => void

const RESPONSE = 0
const ERROR = 1
const TUNNEL = 3
const SENT = 4

/** Words that an ordinary batch fits into: 256 KiB. */
const WORDS = 1 << 16

const waiting: (Waiting | undefined)[] = [undefined]
const free: number[] = []
const listeners = new Map<number, Listener>()
const shapes = new Map<number, Shape>()
const own = new Cursor(new Int32Array(WORDS))
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

/** Registers who waits; returns the request's number. */
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
export function listen(listener: Listener): number {
  const pool = nextPool++
  listeners.set(pool, listener)
  return pool
}
let nextPool = 1

/** Registers who answers what ways to authenticate ask for. */
export function onQuestion(listener: Listener): void {
  questioned = listener
}
let questioned: Listener | undefined

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

export const environment: Environment = new native.Environment(drain)

/** Takes one batch. The next one comes in a turn of its own: what awaits an answer goes on before a later one is told, as with a socket. */
function drain(): void {
  const chunks = environment.drain(own.words)
  if (!chunks) return
  const count = own.words[0]!
  if (own.words[1] !== 0) setImmediate(drain)
  if (count >= 0) {
    own.start(chunks, 2)
    read(own, 2 + count)
  } else {
    const large = new Cursor(environment.takeWords())
    large.start(chunks, 0)
    read(large, large.words.length)
  }
}

function read(cursor: Cursor, end: number): void {
  while (cursor.position < end) {
    const { words, position } = cursor
    const request = words[position]!
    const kind = words[position + 1]!
    const detail = words[position + 2]!
    const connection = words[position + 3]!
    cursor.position = position + 4
    switch (kind & 0xff) {
      case RESPONSE:
        respond(cursor, request, detail, connection, String.fromCharCode(kind >> 8))
        break
      case ERROR:
        fail(request, kind >> 8, JSON.parse(cursor.text(detail)) as WireError)
        break
      case TUNNEL: {
        const bytes = Buffer.from(cursor.text(detail), 'latin1')
        shielded(() => waiting[request]?.receive?.(bytes))
        break
      }
      case SENT:
        shielded(() => waiting[request]?.sent?.(detail))
        break
      default:
        dispatch(JSON.parse(cursor.text(detail)) as WireEvent)
    }
  }
}

function fail(request: number, status: number, wire: WireError): void {
  const who = take(request)
  if (who) shielded(() => who.fail((who.toError ?? toError)(wire), status ? String.fromCharCode(status) : ''))
}

function respond(cursor: Cursor, request: number, count: number, connection: number, status: string): void {
  const who = take(request)
  const options = who?.options ?? noOptions
  const results = new Array<Result>(count)
  let failure: unknown
  for (let i = 0; i < count; i++) {
    const { result, error } = readResult(cursor, shapes, options)
    results[i] = result
    failure ??= error
  }
  try {
    who?.respond?.(results, connection, status, failure)
  } catch (error) {
    rethrow(error)
  }
}

function dispatch(event: WireEvent): void {
  switch (event.event) {
    case 'shape':
      shapes.set(event.shape as number, new Shape(event.fields as ConstructorParameters<typeof Shape>[0], event.kinds as number[]))
      break
    case 'forgetShapes':
      shapes.clear()
      break
    case 'ask':
    case 'fetched':
    case 'located':
    case 'warning':
      shielded(() => questioned?.(event))
      break
    default:
      shielded(() => {
        if (event.request) take(event.request)?.event?.(event)
        else if (event.pool) listeners.get(event.pool)?.(event)
      })
  }
}

/** What a caller's callback or listener throws is the process's, not the next answer's. */
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
