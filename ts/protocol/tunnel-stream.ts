/** The socket that other packages' query classes see: a stream through a tunnel of the connection in Rust. */

import { Duplex } from 'node:stream'
import { environment, expect } from '../environment.js'

/** Bytes on each side before it waits for the other. */
const HIGH_WATER = 64 * 1024

export class TunnelStream extends Duplex {
  /** The request whose answer the tunnel is; 0 while none is open. */
  private request = 0
  /** A tunnel is opened by the next write. */
  private armed = false
  /** Written and not yet sent. */
  private unsent = 0
  /** Received and not yet taken. */
  private behind = 0
  private afterWrite: (() => void) | undefined

  /** `connection`: the number in Rust. `onSevered`: somebody destroys the socket. */
  constructor(
    private readonly connection: () => number,
    private readonly onSevered: () => void,
  ) {
    super({ readableHighWaterMark: HIGH_WATER, writableHighWaterMark: HIGH_WATER, autoDestroy: false, emitClose: false })
  }

  /** The connection is the caller's until `close`. Nothing happens before the first write. */
  arm(): void {
    this.armed = true
  }

  /** The caller is done. `named`: names and texts, in turn, of statements it has prepared. */
  close(named: string[]): void {
    this.armed = false
    if (this.request === 0) return
    this.request = 0
    environment.tunnelEnd(this.connection(), named)
  }

  private open(): void {
    const request = expect({
      receive: (bytes) => this.receive(bytes),
      sent: (count) => this.confirm(count),
      event: () => this.ended(request),
      fail: () => this.ended(request),
    })
    this.request = request
    environment.tunnel(this.connection(), request)
  }

  /** The tunnel is gone; with its connection, if `close` was not called. */
  private ended(request: number): void {
    if (this.request === request) this.request = 0
    this.confirm(this.unsent)
  }

  private receive(bytes: Buffer): void {
    this.behind += bytes.length
    if (this.push(bytes)) this.acknowledge()
  }

  private acknowledge(): void {
    if (this.behind === 0) return
    environment.tunnelTaken(this.connection(), this.behind)
    this.behind = 0
  }

  override _read(): void {
    this.acknowledge()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    // What comes behind ReadyForQuery closes a portal that went with its transaction: there is nothing left to close.
    if (!this.armed) return done()
    if (this.request === 0) this.open()
    environment.tunnelWrite(this.connection(), chunk)
    this.unsent += chunk.length
    if (this.unsent < HIGH_WATER) done()
    else this.afterWrite = done
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), 'utf8', done)
  }

  private confirm(count: number): void {
    this.unsent -= count
    const { afterWrite } = this
    if (!afterWrite || this.unsent >= HIGH_WATER) return
    this.afterWrite = undefined
    afterWrite()
  }

  /** The connection has ended: calls back when all that came before is read, or at once. */
  finish(discard: boolean, callback: () => void): void {
    if (discard || this.destroyed || this.readableLength === 0) return callback()
    this.once('end', callback)
    this.push(null)
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.onSevered()
    done(error)
  }

  // The rest of a socket's methods that callers use: these are Rust's affairs.
  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  setTimeout(): this {
    return this
  }
}
