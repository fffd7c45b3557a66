/** What both kinds of `Connection` have in common: they write PostgreSQL's messages to a stream and emit the server's as events. */

import { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { parse, serialize } from 'pg-protocol'

/** What a message is made of. */
export type Contents<Message extends keyof typeof serialize> = Parameters<(typeof serialize)[Message]>[0]

/** Emits `message`, and every message under its own name, `errorMessage` for errors. */
export abstract class ProtocolConnection extends EventEmitter {
  abstract readonly stream: Duplex
  /** @internal */
  _ending = false
  /** @internal */
  _emitMessage = false

  constructor() {
    super()
    this.on('newListener', (event) => {
      if (event === 'message') this._emitMessage = true
    })
  }

  attachListeners(stream: Duplex): void {
    void parse(stream, (message) => {
      if (this._emitMessage) this.emit('message', message)
      this.emit((message.name as string) === 'error' ? 'errorMessage' : message.name, message)
    })
  }

  /** @internal */
  _send(message: Buffer): boolean {
    return this.stream.writable && this.stream.write(message)
  }

  query(text: string): void {
    this._send(serialize.query(text))
  }

  parse(query: Contents<'parse'>): void {
    this._send(serialize.parse(query))
  }

  bind(config?: Contents<'bind'>): void {
    this._send(serialize.bind(config))
  }

  execute(config?: Contents<'execute'>): void {
    this._send(serialize.execute(config))
  }

  describe(what: Contents<'describe'>): void {
    this._send(serialize.describe(what))
  }

  close(what: Contents<'close'>): void {
    this._send(serialize.close(what))
  }

  flush(): void {
    this._send(serialize.flush())
  }

  sync(): void {
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
