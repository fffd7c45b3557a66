/**
 * Where queries, checkouts, attempts to connect and fetches of tokens begin and end, for tracing, metrics and logs.
 *
 * Each is reported in one place, and nothing is computed without a subscriber. The facts are those of OpenTelemetry's conventions
 * for database clients. The texts of statements are as callers wrote them, with the constants in them; values of parameters, passwords and
 * tokens are in no event.
 */

import type { Result } from './result.js'

/** The database that it concerns: `server.address`, `server.port`, `db.namespace` and the role. */
export interface Server {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
}

interface End {
  /** How long it took, in milliseconds. */
  readonly millis: number
  /** Why it failed. */
  readonly error?: Error | undefined
}

export interface QueryBegin {
  readonly server: Server
  /** `db.query.text`; undefined for a query class that does not show it. */
  readonly text: string | undefined
  /** `db.operation.name`: the first word of the text, in upper case. */
  readonly operation: string | undefined
  /** The name of a prepared statement. */
  readonly name: string | undefined
  /** The number of the connection; undefined while it is not chosen, as in `pool.query()`. */
  readonly connection: number | undefined
}

export interface QueryEnd extends End {
  /** The number of the connection that has run it; undefined if none has. */
  readonly connection: number | undefined
  /** `db.response.returned_rows`: the rows of all its results; undefined if they were not collected. */
  readonly rows: number | undefined
  /** The command tag of the last result, such as `INSERT`. */
  readonly command: string | undefined
}

export interface CheckoutBegin {
  readonly server: Server
}

/** Its `millis` are `db.client.connection.wait_time`. */
export interface CheckoutEnd extends End {
  readonly connection: number | undefined
}

export interface ConnectBegin {
  readonly server: Server
}

/** Its `millis` are `db.client.connection.create_time`. */
export interface ConnectEnd extends End {
  readonly connection: number | undefined
}

export interface TokenFetchBegin {
  readonly server: Server
}

export interface TokenFetchEnd extends End {
  /** The way that authenticated with the workspace, such as `oauth-m2m`. */
  readonly method: string | undefined
  readonly expiresAt: Date | undefined
}

/** Is called when something begins, in the caller's async context; what it returns is called when that ends. */
type Watch<Begin, Ended> = (begin: Begin) => ((end: Ended) => void) | void

/** What a subscriber wants to know; what is missing costs nothing. */
export interface Subscriber {
  /** A query of a pool or client. `pool.query()` on a client of its own is a checkout and a query. */
  query?: Watch<QueryBegin, QueryEnd>
  /** `pool.connect()`. */
  checkout?: Watch<CheckoutBegin, CheckoutEnd>
  /** A connection is made, with all its retries. */
  connect?: Watch<ConnectBegin, ConnectEnd>
  /** A database credential is fetched; reported by every pool that shares it. */
  tokenFetch?: Watch<TokenFetchBegin, TokenFetchEnd>
}

interface Watches {
  query: [QueryBegin, QueryEnd]
  checkout: [CheckoutBegin, CheckoutEnd]
  connect: [ConnectBegin, ConnectEnd]
  tokenFetch: [TokenFetchBegin, TokenFetchEnd]
}
type Kind = keyof Watches
/** Reports the end, with how long it took. */
type Report<K extends Kind> = (end: Omit<Watches[K][1], 'millis'>) => void

const subscribers = new Set<Subscriber>()
const listeners: ((isObserved: boolean) => void)[] = []

/** There is a subscriber. Read before anything is computed for an event. */
export let isObserved = false

/** Subscribes to what begins from now on. Returns the function that unsubscribes. What a subscriber throws is an uncaught exception. */
export function subscribe(subscriber: Subscriber): () => void {
  subscribers.add(subscriber)
  update()
  return () => {
    subscribers.delete(subscriber)
    update()
  }
}

/** @internal Calls `listener` when the first has subscribed and when the last one has unsubscribed, and now if there is one. */
export function onObserved(listener: (isObserved: boolean) => void): void {
  listeners.push(listener)
  if (isObserved) listener(true)
}

function update(): void {
  if (isObserved === subscribers.size > 0) return
  isObserved = !isObserved
  for (const listener of listeners) listener(isObserved)
}

function begin<K extends Kind>(kind: K, facts: Watches[K][0]): Report<K> | undefined {
  const ends: ((end: Watches[K][1]) => void)[] = []
  for (const subscriber of subscribers) {
    shielded(() => {
      const watch = subscriber[kind] as Watch<Watches[K][0], Watches[K][1]> | undefined
      const end = watch?.call(subscriber, facts)
      if (end) ends.push(end)
    })
  }
  if (ends.length === 0) return undefined
  const began = performance.now()
  return (facts) => {
    const end = { ...facts, millis: performance.now() - began } as unknown as Watches[K][1]
    for (const call of ends.splice(0)) shielded(() => call(end))
  }
}

function shielded(call: () => void): void {
  try {
    call()
  } catch (error) {
    process.nextTick(() => {
      throw error
    })
  }
}

/** @internal A query begins. */
export function beginQuery(server: Server, query: { text?: unknown; name?: unknown }, connection?: number): Report<'query'> | undefined {
  const text = typeof query.text === 'string' ? query.text : undefined
  const name = typeof query.name === 'string' && query.name !== '' ? query.name : undefined
  return begin('query', { server: serverOf(server), text, operation: text === undefined ? undefined : operationOf(text), name, connection })
}

/** @internal What a query's results show at its end. */
export function resultFacts(results: Result[] | undefined, connection: number | undefined, error: unknown): Omit<QueryEnd, 'millis'> {
  const rows = error ? undefined : results?.reduce((sum, result) => sum + result.rows.length, 0)
  return { connection, rows, command: results?.at(-1)?.command ?? undefined, error: (error ?? undefined) as Error | undefined }
}

/** @internal A caller asks for a client. */
export function beginCheckout(server: Server): Report<'checkout'> | undefined {
  return begin('checkout', { server: serverOf(server) })
}

/** @internal A connection is being made. */
export function beginConnect(server: Server): Report<'connect'> | undefined {
  return begin('connect', { server: serverOf(server) })
}

/** @internal A database credential is being fetched. */
export function beginTokenFetch(server: Server): Report<'tokenFetch'> | undefined {
  return begin('tokenFetch', { server: serverOf(server) })
}

function serverOf({ host, port, database, user }: Server): Server {
  return { host, port, database, user }
}

/** What may stand before the first word of a statement: blanks, parentheses and comments. */
const skipped = /\s+|\(|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\//y

function operationOf(text: string): string | undefined {
  let start = 0
  for (skipped.lastIndex = 0; skipped.test(text); start = skipped.lastIndex);
  return /^[a-z]+/i.exec(text.slice(start, start + 32))?.[0].toUpperCase()
}
