/**
 * node-postgres' `Connection`, as far as query classes use it: they write PostgreSQL's messages with it and hear the server's as events.
 *
 * Only they pay for it: an ordinary query's messages are written and read in Rust.
 */

import { EventEmitter } from 'node:events'
import { parse, serialize } from 'pg-protocol'
import { TunnelStream } from './tunnel-stream.js'

type Message = { name: string; length: number }

export class Connection extends EventEmitter {
  readonly stream: TunnelStream
  /** Named statements whose Parse is on its way. */
  submittedNamedStatements = Object.create(null) as Record<string, string>
  /** Messages sent that the server answers with ReadyForQuery each, less those answers. */
  unanswered = 0
  _ending = false
  _emitMessage = false
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
      if (event === 'message') this._emitMessage = true
      if (event === 'readyForQuery' && this.isOver) process.nextTick(() => this.dismiss())
    })
    void parse(this.stream, (message: Message) => {
      if (this._emitMessage) this.emit('message', message)
      this.emit(message.name === 'error' ? 'errorMessage' : message.name, message)
    })
  }

  /**
   * There is no server any more. Whoever waits for its ReadyForQuery, now or later, is let go: a cursor that has yet to hear of the error
   * would wait for ever to have its portal closed, and a query stream with it.
   */
  finish(): void {
    this.isOver = true
    process.nextTick(() => this.dismiss())
  }

  private dismiss(): void {
    this.emit('readyForQuery', { name: 'readyForQuery', length: 5, status: 'I' })
  }

  _send(message: Buffer): boolean {
    return this.stream.writable && this.stream.write(message)
  }

  query(text: string): void {
    this.unanswered++
    this._send(serialize.query(text))
  }

  parse(query: { name?: string | undefined; text: string; types?: number[] }): void {
    // The core may have prepared it for a query of its own; closing what does not exist is no error.
    if (query.name) this.close({ type: 'S', name: query.name })
    this._send(serialize.parse(query as Parameters<typeof serialize.parse>[0]))
  }

  bind(config: Parameters<typeof serialize.bind>[0]): void {
    this._send(serialize.bind(config))
  }

  execute(config: Parameters<typeof serialize.execute>[0]): void {
    this._send(serialize.execute(config))
  }

  describe(message: Parameters<typeof serialize.describe>[0]): void {
    this._send(serialize.describe(message))
  }

  close(message: Parameters<typeof serialize.close>[0]): void {
    this._send(serialize.close(message))
  }

  flush(): void {
    this._send(serialize.flush())
  }

  sync(): void {
    this.unanswered++
    this._send(serialize.sync())
  }

  sendCopyFromChunk(chunk: Buffer): void {
    this._send(serialize.copyData(chunk))
  }

  endCopyFrom(): void {
    this._send(serialize.copyDone())
  }

  sendCopyFail(message: string): void {
    this._send(serialize.copyFail(message))
  }
}
