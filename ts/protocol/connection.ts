/**
 * node-postgres' `Connection`, as far as query classes use it: they write PostgreSQL's messages with it and hear the server's as events.
 *
 * Only they pay for it: an ordinary query's messages are written and read in Rust.
 */

import { ProtocolConnection, type Contents } from './protocol-connection.js'
import { TunnelStream } from './tunnel-stream.js'

export class Connection extends ProtocolConnection {
  readonly stream: TunnelStream
  /** Named statements whose Parse is on its way. */
  submittedNamedStatements = Object.create(null) as Record<string, string>
  /** Messages sent that the server answers with ReadyForQuery each, less those answers. */
  unanswered = 0
  private isOver = false

  /**
   * `parsedStatements`: named statements that the server has, and their texts. `number`: the connection's, in Rust. `onSevered`: somebody
   * destroys the stream.
   */
  constructor(
    readonly parsedStatements: Record<string, string>,
    number: () => number,
    onSevered: () => void,
  ) {
    super()
    this.stream = new TunnelStream(number, onSevered)
    this.on('newListener', (event) => {
      if (event === 'readyForQuery' && this.isOver) process.nextTick(() => this.dismiss())
    })
    this.attachListeners(this.stream)
  }

  /**
   * The connection has ended. Everything that waits for ReadyForQuery, now or later, gets one: a cursor that has not seen the error yet would
   * wait for ever for its portal to be closed, and a query stream with it.
   */
  finish(): void {
    this.isOver = true
    process.nextTick(() => this.dismiss())
  }

  private dismiss(): void {
    this.emit('readyForQuery', { name: 'readyForQuery', length: 5, status: 'I' })
  }

  override query(text: string): void {
    this.unanswered++
    super.query(text)
  }

  override parse(query: Contents<'parse'>): void {
    // The core may have prepared it for a query of its own; closing what does not exist is no error.
    if (query.name) this.close({ type: 'S', name: query.name })
    super.parse(query)
  }

  override sync(): void {
    this.unanswered++
    super.sync()
  }
}
