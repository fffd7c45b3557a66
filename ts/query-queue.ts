/** The queries of one connection: one after another, each in the way it is to be run. */

import { deprecate } from 'node:util'
import { endWith } from './abort.js'
import { environment, expect } from './environment.js'
import { hasNeverRun, type WireError } from './errors.js'
import type { ClientPolicy } from './client-policy.js'
import * as instrumentation from './instrumentation.js'
import type { Conversation } from './protocol/conversation.js'
import { keyOf, parameterOf } from './protocol/messages.js'
import type { TransactionStatus } from './interfaces/client.js'
import { isPatched, Query, type ProtocolQuery } from './query.js'
import type { Result } from './result.js'
import { Portal, type PortalOwner } from './stream.js'
import type { TypeOverrides } from './types.js'

/** The connection was gone before the query came. */
const lostBefore: WireError = {
  kind: 'connectionLost', message: 'Client has encountered a connection error and is not queryable', code: 'CONNECTION_LOST',
  hint: null, status: null, problems: [], server: null, cause: null, neverRan: true,
}

/** What waits for its turn. */
export type Queued = ProtocolQuery | Portal

/** The client whose connection it is. */
export interface QueueOwner {
  /** The connection's number in Rust. */
  readonly _connection: number
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  /** Makes its errors. */
  readonly _policy: ClientPolicy
  /** Queries are handed over at once; they still run one after another. */
  readonly pipeline: boolean
  /** The connection has not failed. */
  readonly _queryable: boolean
  /** `end()` was called. */
  readonly _ending: boolean
  /** Resolves when the server has acted on the request. */
  cancelQuery(): Promise<void>
  emit(event: 'drain' | 'notice' | 'notification', message?: object): boolean
}

/** What a client does about what befalls its connection. */
export interface QueueEvents {
  /** The connection cannot go on. */
  failed(error: Error): void
  /** The connection is to be closed at once: the stream of the client's `connection` was destroyed, or a pipelined query timed out. */
  severed(): void
}

export class QueryQueue implements PortalOwner {
  waiting: Queued[] = []
  active: Queued | null = null
  /** The transaction's state after the last query; null before the first. */
  status: TransactionStatus = null
  /** The server has ended the session with its answer to a query. */
  isOver = false
  private isReady = false
  /** The connection has been there. */
  private isOpen = false
  private hasExecuted = false
  /** Requests to cancel that the server has not acted on. */
  private cancelling = 0
  /** Named statements that the server has, and their texts. */
  private readonly statements = Object.create(null) as Record<string, string>
  /** Made for the first query class, or when `client.connection` is first read. */
  private spoken: Conversation | undefined
  private idleWaiters: (() => void)[] = []
  /** Report the ends of the queries that began with a subscriber. */
  private reports: WeakMap<Queued, NonNullable<ReturnType<typeof instrumentation.beginQuery>>> | undefined

  constructor(
    private readonly owner: QueueOwner,
    private readonly events: QueueEvents,
    readonly types: TypeOverrides,
  ) {}

  get connection(): number {
    return this.owner._connection
  }

  get toError(): (wire: WireError) => Error {
    return this.owner._policy.toClientError
  }

  /** The connection is there. What waits begins with `pulse`. */
  open(): void {
    this.isReady = true
    this.isOpen = true
    this.status ??= 'I'
  }

  /** A query gets its turn after those before it, or is refused. */
  add(query: Queued): void {
    if (instrumentation.isObserved) this.begin(query)
    const refusal = this.refusalOf(query)
    if (refusal) return this.refuse(query, refusal)
    if (this.waiting.length > 0 && !this.owner.pipeline) warnOfQueue()
    this.waiting.push(query)
    this.pulse()
  }

  /** Fails a query that never gets a turn, later. */
  refuse(query: Queued, error: Error): void {
    this.end(query, undefined, error)
    process.nextTick(() => query.handleError(error, this.spoken?.connection))
  }

  /** Takes a query out, if it still waits. */
  remove(query: Queued): void {
    const position = this.waiting.indexOf(query)
    if (position >= 0) this.waiting.splice(position, 1)
  }

  /** Gives a query up after `millis`, unless that is 0. The server may still be running it, or is asked to cancel it. */
  bound(query: Query, millis: number): void {
    if (!millis) return
    const answer = query.callback ?? (() => {})
    const timer = setTimeout(() => {
      const error = new Error('Query read timeout')
      this.refuse(query, error)
      answer(error)
      query.callback = () => {}
      // A connection that pipelines has sent it, and answers nothing behind it before: node-postgres destroys it.
      if (this.owner.pipeline && this.isOpen) return this.events.severed()
      if (this.owner._policy.cancelsTimedOut && this.active === query) this.cancel().catch(() => this.events.severed())
      this.remove(query)
      this.pulse()
    }, millis)
    query.callback = (error, result) => {
      clearTimeout(timer)
      answer(error, result)
    }
  }

  /** Ends a query when its signal is aborted. */
  endWith(signal: AbortSignal, query: Query): void {
    endWith(signal, query, {
      isActive: () => this.active === query,
      withdraw: (error) => {
        this.remove(query)
        this.refuse(query, error)
      },
      cancel: () => this.cancel(),
      sever: () => this.events.severed(),
    })
  }

  private async cancel(): Promise<void> {
    this.cancelling++
    try {
      await this.owner.cancelQuery()
    } finally {
      this.cancelling--
      this.pulse()
    }
  }

  private refusalOf(query: Queued): Error | undefined {
    const unfit = this.owner.pipeline && unfitToPipeline(query)
    if (unfit) return new Error(unfit)
    if (!this.owner._queryable) return this.toError(lostBefore)
    return this.owner._ending ? new Error('Client was closed and is not queryable') : undefined
  }

  /** Sends the next query when the one before it is done. */
  pulse(): void {
    if (!this.isReady || this.cancelling > 0) return
    const query = this.waiting.shift()
    if (!query) {
      if (this.hasExecuted) this.owner.emit('drain')
      this.tellIdle()
      return
    }
    this.active = query
    this.isReady = false
    this.hasExecuted = true
    const wrong = this.send(query)
    if (!wrong) return
    this.end(query, undefined, wrong)
    process.nextTick(() => this.done(query, this.status ?? 'I', () => query.handleError(wrong, this.spoken?.connection)))
  }

  private begin(query: Queued): void {
    const report = instrumentation.beginQuery(this.owner, query instanceof Portal ? query.config : query, this.connection || undefined)
    if (report) (this.reports ??= new WeakMap()).set(query, report)
  }

  /** Reports the end of a query, once. */
  private end(query: Queued, results?: Result[], error?: unknown): void {
    const report = this.reports?.get(query)
    if (!report) return
    this.reports!.delete(query)
    report(instrumentation.resultFacts(results, this.connection || undefined, error))
  }

  /** The error that keeps it from being sent is returned. */
  private send(query: Queued): Error | null {
    if (query instanceof Portal) return query.open()
    if (query instanceof Query && query._own) {
      if (!query.rows && !isPatched()) return this.dispatch(query)
      query._result._types ??= this.types
    }
    return this.conversation.begin(query)
  }

  private dispatch(query: Query): Error | null {
    return query.dispatch(this.types, (text, name, params, flags) => {
      const request = expect({
        options: { rowMode: query._rowMode, types: query.types ?? this.types },
        toError: this.toError,
        respond: (results, _connection, status, error) => {
          if (query.name && query.text) this.statements[query.name] = query.text
          this.end(query, results, error)
          this.done(query, status, () => query.handleResults(results, error))
        },
        fail: (error, status) => this.failed(query, error, status),
      })
      environment.clientQuery(this.connection, request, text, name, params, flags)
    })
  }

  /** How query classes speak on this connection. */
  get conversation(): Conversation {
    if (this.spoken) return this.spoken
    // Loaded with the first query class: most processes never need it.
    const module = require('./protocol/conversation.js') as typeof import('./protocol/conversation.js')
    return (this.spoken = new module.Conversation(this.statements, {
      number: () => this.connection,
      severed: () => this.events.severed(),
      dropActive: (error) => {
        if (this.active) this.end(this.active, undefined, error)
        this.active = null
      },
      ready: (status, tell) => this.settle(status, tell),
      failed: (error) => this.events.failed(error),
      tell: (event, message) => this.owner.emit(event, message),
    }))
  }

  /** Emits on the client's `connection` what the server sent at login. */
  introduce(parameters: Record<string, string>, processId: number, secretKey: number): void {
    const connection = this.spoken?.connection
    if (!connection) return
    for (const [name, value] of Object.entries(parameters)) connection.emit('parameterStatus', parameterOf(name, value))
    connection.emit('backendKeyData', keyOf(processId, secretKey))
  }

  done(query: Queued, status: string, tell: () => void): void {
    // Otherwise it has failed with its connection.
    if (this.active === query) this.settle(status, tell)
  }

  private settle(status: string, tell: () => void): void {
    if (this.active) this.end(this.active)
    this.active = null
    this.status = status as TransactionStatus
    this.isReady = true
    tell()
    this.pulse()
  }

  failed(query: Queued, error: Error, status: string): void {
    this.end(query, undefined, error)
    if (status || !('severity' in error)) {
      // Without a status, and not the server's own error: the end of the connection, which comes next, fails it.
      if (status || hasNeverRun(error) || wasRefusedHere(error)) this.done(query, status || (this.status ?? 'I'), () => query.handleError(error))
      return
    }
    // The server's last word on this query, and on the connection: nothing more is sent.
    if (this.active !== query) return
    this.active = null
    this.isOver = true
    query.handleError(error)
  }

  /** Fails every query, later. */
  failAll(error: Error): void {
    const lost = this.active ? [this.active, ...this.waiting] : this.waiting
    this.active = null
    this.waiting = []
    for (const query of lost) this.refuse(query, error)
  }

  /** The connection has ended: calls back when a query class has read what came before. */
  drain(isAsked: boolean, callback: () => void): void {
    if (this.spoken) this.spoken.end(isAsked, callback)
    else callback()
  }

  /** A query is running, given up or not, or waiting. */
  get isBusy(): boolean {
    return !this.isReady || this.waiting.length > 0 || this.cancelling > 0
  }

  /** Whether a query that matches is running or waiting. */
  holds(matches: (query: Queued) => boolean): boolean {
    return (this.active !== null && matches(this.active)) || this.waiting.some(matches)
  }

  /** Calls back when no query is running or waiting, or the connection has ended. */
  whenIdle(callback: () => void): void {
    this.idleWaiters.push(callback)
  }

  tellIdle(): void {
    for (const idle of this.idleWaiters.splice(0)) idle()
  }
}

/** What keeps a portal open across round trips cannot share the wire, as in node-postgres. */
function unfitToPipeline(query: Queued): string | undefined {
  if (query instanceof Portal) return '`stream` is not supported in pipeline mode'
  if (!(query instanceof Query)) return 'Custom query classes such as pg-cursor and pg-query-stream are not supported in pipeline mode'
  return query.rows ? 'The `rows` option is not supported in pipeline mode' : undefined
}

/** Errors that concern one query on a connection that lives on: it was never sent. */
function wasRefusedHere(error: Error): boolean {
  return !('syscall' in error) && !/^Connection terminated/.test(error.message)
}

const warnOfQueue = deprecate(
  () => {},
  'Calling client.query() when the client is already executing a query is deprecated and will be removed in pg@9.0. Use async/await or an external async flow control mechanism instead.',
)
