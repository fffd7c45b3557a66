/**
 * The network between a client and a server: a TCP relay that adds latency and can fail. It does not look into the bytes.
 *
 * Each direction takes half of the latency. A userland relay cannot hold back the kernel's SYN/ACK, so what the handshake would
 * have cost is added to the client's first bytes: they arrive 1½ round trips after the connection was accepted.
 */

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { reset } from './reset.js'

export interface LinkOptions {
  /** Address to listen on. */
  host: string
  /** Port to listen on. 0: any free one. */
  port: number
  /** Where connections lead. */
  target: { host: string; port: number }
  /** Full round-trip time in milliseconds. Default 0. */
  latencyMillis?: number
}

/** Called when a client's connection opens and when it is gone, with the number of those open now. */
export type LinkListener = (event: 'open' | 'close', open: number) => void

/** Bytes under way in one direction before the sender is slowed down; above the product of any bandwidth and delay used here. */
const WINDOW_BYTES = 16 * 1024 * 1024

/** Timers are precise to a millisecond; what is due sooner than half of one is due now. */
const SLACK_MILLIS = 0.5

export class Link {
  private readonly routes = new Set<Route>()
  private openedCount = 0
  private silent = false

  private constructor(
    private readonly options: LinkOptions,
    private readonly listener: LinkListener,
    /** Full round-trip time in milliseconds; a change holds for bytes sent from then on. */
    public latencyMillis: number,
    private server: Server,
    /** Port that clients connect to. */
    readonly port: number,
  ) {
    this.serve(server)
  }

  static async open(options: LinkOptions, listener: LinkListener = () => {}): Promise<Link> {
    const server = await listening(options.host, options.port)
    return new Link(options, listener, options.latencyMillis ?? 0, server, (server.address() as AddressInfo).port)
  }

  /** Connections since the start. */
  get opened(): number {
    return this.openedCount
  }

  /** Connections open now. */
  get open(): number {
    return this.routes.size
  }

  /** While true, connections are accepted but nothing passes in either direction; what was held back arrives afterwards. */
  get blackHole(): boolean {
    return this.silent
  }

  set blackHole(silent: boolean) {
    this.silent = silent
    if (!silent) for (const route of this.routes) route.resume()
  }

  /** Stops listening: new connections are refused by the operating system, open ones go on. */
  refuse(): void {
    this.server.close()
  }

  /** Listens again, on the same port. */
  async accept(): Promise<void> {
    if (this.server.listening) return
    this.server = await listening(this.options.host, this.port)
    this.serve(this.server)
  }

  /** Resets every open connection. Returns how many. */
  drop(): number {
    const routes = [...this.routes]
    for (const route of routes) route.reset()
    return routes.length
  }

  /** Stops listening and resets what is open. */
  close(): void {
    this.server.close()
    this.drop()
  }

  private serve(server: Server): void {
    server.on('connection', (client) => {
      const route = new Route(client, connect({ ...this.options.target, allowHalfOpen: true }), this, () => {
        this.routes.delete(route)
        this.listener('close', this.routes.size)
      })
      this.openedCount++
      this.routes.add(route)
      this.listener('open', this.routes.size)
    })
  }
}

async function listening(host: string, port: number): Promise<Server> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }).listen(port, host)
  await once(server, 'listening')
  return server
}

/** One connection: the client's socket, the server's, and a lane in each direction. */
class Route {
  private readonly lanes: [Lane, Lane]
  private ended = false

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
    link: Link,
    private readonly gone: () => void,
  ) {
    const handshakeEnd = performance.now() + link.latencyMillis
    server.setNoDelay(true)
    this.lanes = [new Lane(client, server, link, handshakeEnd), new Lane(server, client, link, 0)]
    for (const socket of [client, server]) {
      socket.on('error', () => this.reset())
      socket.on('close', () => this.close())
    }
  }

  resume(): void {
    for (const lane of this.lanes) lane.flush()
  }

  /** Both ends get a TCP reset. */
  reset(): void {
    reset(this.client)
    reset(this.server)
    this.close()
  }

  private close(): void {
    // One end may have closed in order while bytes for the other are still under way.
    if (!this.client.destroyed || !this.server.destroyed) return this.closeOther()
    if (this.ended) return
    this.ended = true
    for (const lane of this.lanes) lane.stop()
    this.gone()
  }

  private closeOther(): void {
    const [open, closed] = this.client.destroyed ? [this.server, this.client] : [this.client, this.server]
    if (closed.readableEnded || open.destroyed) return
    open.destroy()
  }
}

interface Parcel {
  due: number
  /** Null: the end of the stream. */
  chunk: Buffer | null
}

/** One direction of a connection: what was read waits until it is due, in order. */
class Lane {
  private readonly parcels: Parcel[] = []
  private waitingBytes = 0
  private timer: NodeJS.Timeout | undefined
  private blocked = false

  constructor(
    private readonly source: Socket,
    private readonly sink: Socket,
    private readonly link: Link,
    /** Nothing counts as sent before. */
    private readonly notBefore: number,
  ) {
    source.on('data', (chunk) => this.push(chunk))
    source.on('end', () => this.push(null))
    sink.on('drain', () => {
      this.blocked = false
      this.flush()
    })
  }

  /** Passes on everything that is due. */
  flush(): void {
    clearTimeout(this.timer)
    this.timer = undefined
    while (!this.link.blackHole && !this.blocked) {
      const parcel = this.parcels[0]
      if (!parcel) break
      const early = parcel.due - performance.now()
      if (early > SLACK_MILLIS) {
        this.timer = setTimeout(() => this.flush(), early)
        break
      }
      this.parcels.shift()
      this.deliver(parcel.chunk)
    }
    if (this.source.isPaused() && this.waitingBytes < WINDOW_BYTES) this.source.resume()
  }

  stop(): void {
    clearTimeout(this.timer)
    this.parcels.length = 0
  }

  private push(chunk: Buffer | null): void {
    const sent = Math.max(performance.now(), this.notBefore)
    const previous = this.parcels.at(-1)
    this.parcels.push({ due: Math.max(sent + this.link.latencyMillis / 2, previous?.due ?? 0), chunk })
    this.waitingBytes += chunk?.length ?? 0
    if (this.waitingBytes >= WINDOW_BYTES) this.source.pause()
    if (this.parcels.length === 1) this.flush()
  }

  private deliver(chunk: Buffer | null): void {
    if (chunk === null) {
      this.sink.end()
      return
    }
    this.waitingBytes -= chunk.length
    if (!this.sink.destroyed) this.blocked = !this.sink.write(chunk)
  }
}
