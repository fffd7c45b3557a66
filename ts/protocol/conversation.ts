/** A query class that speaks the protocol through a connection's tunnel: passes it its messages, and notices when it is done. */

import type { ProtocolQuery } from '../query.js'
import { Connection } from './connection.js'

/** The client, as far as a conversation concerns it. */
export interface Host {
  /** The connection's number in Rust. */
  number(): number
  /** Somebody has destroyed the connection's stream. */
  severed(): void
  /** The query has had its error and gets nothing more; the connection is not ready yet. */
  dropActive(error: Error): void
  /** The connection is ready for the next query, once `tell` has told the last one. */
  ready(status: string, tell: () => void): void
  /** The connection cannot go on. */
  failed(error: Error): void
  tell(event: 'notice' | 'notification', message: object): void
}

/** Messages that go to the query, by the name of their event, and the method that takes them. */
const queryMessages = {
  rowDescription: (query, message) => query.handleRowDescription(message),
  dataRow: (query, message) => query.handleDataRow(message),
  portalSuspended: (query, _message, connection) => query.handlePortalSuspended(connection),
  emptyQuery: (query, _message, connection) => query.handleEmptyQuery(connection),
  commandComplete: (query, message, connection) => query.handleCommandComplete(message, connection),
  parseComplete: (query, _message, connection) => noteParsed(query, connection),
  copyInResponse: (query, _message, connection) => query.handleCopyInResponse(connection),
  copyData: (query, message, connection) => query.handleCopyData(message, connection),
} as const satisfies Record<string, (query: ProtocolQuery, message: never, connection: Connection) => void>

function noteParsed({ name, text }: ProtocolQuery, connection: Connection): void {
  if (!name) return
  connection.parsedStatements[name] = text ?? ''
  delete connection.submittedNamedStatements[name]
}

export class Conversation {
  readonly connection: Connection
  private query: ProtocolQuery | null = null
  /** The connection has ended: messages that are still to be read are dropped. */
  private isOver = false

  /** `statements`: the client's named ones, with their texts. */
  constructor(
    statements: Record<string, string>,
    private readonly host: Host,
  ) {
    const connection = new Connection(
      statements,
      () => host.number(),
      () => host.severed(),
    )
    this.connection = connection
    for (const [event, take] of Object.entries(queryMessages) as [string, (query: ProtocolQuery, message: object, connection: Connection) => void][]) {
      connection.on(event, (message: object) => {
        if (this.query) take(this.query, message, connection)
        else if (!this.isOver) host.failed(new Error(`Received unexpected ${event} message from backend.`))
      })
    }
    connection.on('errorMessage', (error: Error) => this.fail(error))
    connection.on('readyForQuery', this.onReady)
    connection.on('notice', (message: object) => host.tell('notice', message))
    connection.on('notification', (message: object) => host.tell('notification', message))
  }

  /** Lets `query` speak. The error that keeps it from doing so is returned. */
  begin(query: ProtocolQuery): Error | null {
    this.query = query
    this.connection.stream.arm()
    const wrong = query.submit(this.connection)
    if (!(wrong instanceof Error)) return null
    this.query = null
    this.connection.stream.close([])
    return wrong
  }

  private readonly onReady = ({ status }: { status: string }): void => this.finish(status)

  private fail(error: Error): void {
    const { query } = this
    if (!query) return this.isOver ? undefined : this.host.failed(error)
    this.query = null
    if (query.name) delete this.connection.submittedNamedStatements[query.name]
    this.host.dropActive(error)
    query.handleError(error, this.connection)
  }

  private finish(status: string): void {
    const { query, connection } = this
    // A query that has said Sync more often than once is done when the last one is answered.
    connection.unanswered = Math.max(0, connection.unanswered - 1)
    if (connection.unanswered > 0) return
    this.query = null
    const name = query?.name
    const parsed = name === undefined ? undefined : connection.parsedStatements[name]
    connection.stream.close(name !== undefined && parsed !== undefined ? [name, parsed] : [])
    this.host.ready(status, () => query?.handleReadyForQuery(connection))
  }

  /** The connection has ended: calls back when the query has had all that came before, or at once if nobody wants it (`discard`). */
  end(discard: boolean, callback: () => void): void {
    this.connection.stream.finish(discard, () => {
      this.query = null
      this.isOver = true
      this.connection.off('readyForQuery', this.onReady)
      callback()
      this.connection.emit('end')
      this.connection.finish()
    })
  }
}
