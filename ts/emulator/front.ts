/**
 * What stands before PostgreSQL, as Lakebase's proxy does: ends TLS, asks for the token as a cleartext password, checks it itself
 * and then passes bytes between the client and PostgreSQL, where every login is trusted.
 *
 * Behaviour follows the open-source Neon proxy (`proxy/src/pglb/handshake.rs`, `proxy/src/auth/mod.rs`, `proxy/src/compute/mod.rs`)
 * except that it asks for the password in cleartext. A token is checked at login only.
 */

import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type Server as TlsServer, type TLSSocket } from 'node:tls'
import type { Address } from './administrator.js'
import type { Compute } from './compute.js'
import { wireError, type Faults, type LoginStage } from './faults.js'
import * as wire from './messages.js'
import { reset } from './reset.js'
import type { LoginRefusal, TokenStore } from './tokens.js'

export interface FrontOptions {
  certificate: string
  key: string
  /** The PostgreSQL behind; it trusts this process. */
  backend: Address
  tokens: TokenStore
  compute: Compute
  faults: Faults
  /** Endpoints and instances that this front answers for. */
  served: readonly string[]
  /** A wrong token is answered as PostgreSQL does (28P01) or as the open-source proxy does (XX000). */
  authErrorStyle: 'postgres' | 'proxy'
  /** Logins to a sleeping database wait until it is awake, or are answered with an error meanwhile. */
  wakeUp: 'hold' | 'error'
  onLogin: (login: Login) => void
}

/** How a login ended at the front. PostgreSQL may still refuse an accepted one, for a database that does not exist for instance. */
export interface Login {
  accepted: boolean
  user: string
  database: string
  applicationName: string | undefined
  /** The name the client asked for in TLS (SNI). Undefined when it connected by address. */
  serverName: string | undefined
  /** Whether TLS began without an SSLRequest, with the ALPN protocol `postgresql`. */
  directTls: boolean
  /** SQLSTATE of the answer to a login that was not accepted. */
  code?: string
  /** Why the token was not accepted. */
  refusal?: LoginRefusal
}

/** Startup parameters that reach PostgreSQL; the proxy drops the others silently (`compute/mod.rs`, `set_startup_params`). */
const FORWARDED = ['user', 'database', 'application_name', 'options', 'replication']

/** Real tokens are one or two kilobytes. */
const MAX_PASSWORD_MESSAGE = 64 * 1024

/** The proxy gives the TLS handshake and the authentication 15 s each (`binary/proxy.rs`). */
const HANDSHAKE_TIMEOUT_MILLIS = 15_000

const ALPN = 'postgresql'

interface Session {
  /** TCP below TLS: only it can be reset. */
  raw: Socket
  stream: TLSSocket
  directTls: boolean
}

/** A session's way from the client to PostgreSQL. */
interface Relay {
  hold(): void
  release(): void
}

export class Front {
  private readonly relays = new Set<Relay>()
  private readonly server: Server
  private readonly tls: TlsServer
  private readonly sockets = new Set<Socket>()
  /** Who waits for a TLS handshake, by the client's port. */
  private readonly handshakes = new Map<number, (stream: TLSSocket) => void>()

  private constructor(private readonly options: FrontOptions) {
    this.server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => void this.accept(socket))
    this.tls = createTlsServer({
      cert: options.certificate,
      key: options.key,
      ALPNProtocols: [ALPN],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MILLIS,
    })
    this.tls.on('secureConnection', (stream) => this.handshakes.get(stream.remotePort ?? 0)?.(stream))
  }

  /** Listens on any free port of the loopback address. */
  static async start(options: FrontOptions): Promise<Front> {
    const front = new Front(options)
    front.server.listen(0, '127.0.0.1')
    await once(front.server, 'listening')
    return front
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  close(): void {
    this.server.close()
    for (const socket of this.sockets) socket.destroy()
  }

  private track(socket: Socket): void {
    this.sockets.add(socket)
    socket.on('close', () => this.sockets.delete(socket))
    // What failed shows in the reads and in 'close'.
    socket.on('error', () => {})
  }

  private async accept(raw: Socket): Promise<void> {
    this.track(raw)
    if (await this.interrupted('connect', raw)) return
    for (;;) {
      const head = await wire.readExactly(raw, 8)
      if (!head) return void raw.destroy()
      if (head[0] === wire.TLS_HANDSHAKE) {
        raw.unshift(head)
        return this.secure(raw, true)
      }
      const packet = await wire.readStartupPacket(raw, head)
      if (!packet) return void raw.destroy()
      switch (packet.code) {
        case wire.SSL_REQUEST:
          // Bytes sent before our answer would be taken for encrypted ones (CVE-2021-23214).
          if (raw.readableLength > 0) return void raw.destroy()
          raw.write('S')
          return this.secure(raw, false)
        case wire.GSSENC_REQUEST:
          raw.write('N')
          continue
        case wire.CANCEL_REQUEST:
          return this.cancel(raw, packet)
        default: {
          const message = 'connection is insecure (try using `sslmode=require`)'
          return dismiss(raw, { code: 'XX000', severity: 'ERROR', message })
        }
      }
    }
  }

  private async secure(raw: Socket, directTls: boolean): Promise<void> {
    await wire.readable(raw)
    // The client has left without beginning TLS.
    if (raw.readableLength === 0) return void raw.destroy()
    if (await this.interrupted('tls', raw)) return
    const stream = await this.handshake(raw)
    if (!stream) return
    // From here on TLS owns the TCP socket; to destroy both would leave its handle open.
    this.sockets.delete(raw)
    this.track(stream)
    if (directTls && stream.alpnProtocol !== ALPN) return void stream.destroy()
    await this.login({ raw, stream, directTls })
  }

  /** Null when the client went away or did not accept our certificate. */
  private handshake(raw: Socket): Promise<TLSSocket | null> {
    const port = raw.remotePort ?? 0
    return new Promise((resolve) => {
      const settle = (stream: TLSSocket | null): void => {
        this.handshakes.delete(port)
        raw.off('close', closed)
        if (stream) stream.allowHalfOpen = true
        resolve(stream)
      }
      const closed = (): void => settle(null)
      this.handshakes.set(port, settle)
      raw.on('close', closed)
      // Who ends its side before TLS stands has left.
      raw.allowHalfOpen = false
      this.tls.emit('connection', raw)
    })
  }

  private async login(session: Session): Promise<void> {
    const { raw, stream } = session
    const timer = setTimeout(() => {
      dismiss(stream, { code: 'XX000', severity: 'ERROR', message: 'Authentication timed out' })
    }, HANDSHAKE_TIMEOUT_MILLIS)
    stream.on('close', () => clearTimeout(timer))

    const head = await wire.readExactly(stream, 8)
    const packet = head && (await wire.readStartupPacket(stream, head))
    if (!packet) return void stream.destroy()
    if (packet.code === wire.CANCEL_REQUEST) return this.cancel(stream, packet)
    const parameters = packet.code >>> 16 === 3 ? wire.startupParameters(packet.body) : null
    if (!parameters) return dismiss(stream, { code: '08P01', message: 'invalid startup packet' })
    if (packet.code !== wire.PROTOCOL_3_0) {
      stream.write(wire.negotiateProtocolVersion([...parameters.keys()].filter((name) => name.startsWith('_pq_.'))))
    }
    const user = parameters.get('user') ?? ''
    const login = describe(session, parameters)
    if (user === '') {
      return this.refuse(stream, login, { code: '28000', message: 'no PostgreSQL user name specified in startup packet' })
    }

    if (await this.interrupted('startup', raw, stream, login)) return clearTimeout(timer)
    stream.write(wire.authenticationCleartextPassword())
    const answer = await wire.readMessage(stream, MAX_PASSWORD_MESSAGE)
    clearTimeout(timer)
    if (answer?.type !== 'p') return void stream.destroy()
    const refusal = this.options.tokens.refusal(answer.body.toString('utf8', 0, answer.body.length - 1), user, this.options.served)
    if (refusal) return this.refuse(stream, { ...login, refusal }, this.passwordError(user))

    if (await this.interrupted('login', raw, stream, login)) return
    const { compute, wakeUp, onLogin } = this.options
    if (!compute.awake) {
      const awake = compute.wake()
      if (wakeUp === 'error') return this.refuse(stream, login, wireError('compute-unreachable'))
      await awake
    }
    onLogin({ ...login, accepted: true })
    this.relay(stream, wire.startupMessage(forwarded(parameters)))
  }

  private passwordError(user: string): wire.WireError {
    return this.options.authErrorStyle === 'proxy'
      ? { code: 'XX000', severity: 'ERROR', message: `password authentication failed for user '${user}'` }
      : { code: '28P01', message: `password authentication failed for user "${user}"` }
  }

  private refuse(stream: TLSSocket, login: Login, error: wire.WireError): void {
    dismiss(stream, error)
    this.options.onLogin({ ...login, code: error.code })
  }

  /** Lets a fault for this stage happen. True when there was one and the connection's fate is sealed. */
  private async interrupted(stage: LoginStage, raw: Socket, stream?: TLSSocket, login?: Login): Promise<boolean> {
    const fault = this.options.faults.takeDatabase(stage)
    const socket = stream ?? raw
    switch (fault?.kind) {
      case undefined:
        return false
      case 'error':
        if (stream && login) this.refuse(stream, login, wireError(fault.error))
        return true
      case 'reset':
        reset(raw)
        return true
      case 'close':
        dismiss(socket)
        return true
      case 'hang':
        // Keeps the socket open, and reads so that the end of the client is noticed.
        socket.resume()
        return true
    }
  }

  /**
   * Bytes both ways, as they come, each side slowed down by the other. The end of one is the end of both; when PostgreSQL ends the session,
   * what the client still sends is read and dropped: closing the socket before would reset it, and PostgreSQL's last words be lost.
   */
  private relay(client: TLSSocket, firstPacket: Buffer): void {
    const backend = connect({ ...this.options.backend, noDelay: true })
    this.track(backend)
    backend.write(firstPacket)
    backend.on('error', () => {
      // Nothing has been relayed yet when the connection itself failed.
      if (backend.bytesRead === 0) client.end(wire.errorResponse(wireError('compute-unreachable')))
    })
    backend.on('close', () => {
      this.relays.delete(relay)
      client.unpipe(backend)
      client.end()
      client.resume()
    })
    client.on('close', () => {
      this.relays.delete(relay)
      backend.destroy()
    })
    const relay: Relay = { hold: () => client.unpipe(backend), release: () => client.pipe(backend) }
    this.relays.add(relay)
    relay.release()
    backend.pipe(client, { end: false })
  }

  /** Runs `work` while nothing of what clients send reaches PostgreSQL: what is idle stays idle. */
  async quiet<T>(work: () => Promise<T>): Promise<T> {
    const held = [...this.relays]
    for (const relay of held) relay.hold()
    try {
      return await work()
    } finally {
      for (const relay of held) if (this.relays.has(relay)) relay.release()
    }
  }

  /** PostgreSQL does not answer a cancel request; it closes the connection when it has acted on it. */
  private cancel(client: Socket, packet: wire.StartupPacket): void {
    const backend = connect({ ...this.options.backend })
    this.track(backend)
    backend.write(wire.startupPacket(packet))
    backend.resume()
    backend.on('close', () => client.end())
    client.on('close', () => backend.destroy())
    client.resume()
  }
}

/** Ends our side, with these last words, and reads on: the end of the client would not be noticed otherwise, and the socket never close. */
function dismiss(socket: Socket, error?: wire.WireError): void {
  if (error) socket.write(wire.errorResponse(error))
  socket.end()
  socket.resume()
}

function describe({ stream, directTls }: Session, parameters: Map<string, string>): Login {
  const user = parameters.get('user') ?? ''
  // Node has no name for "no SNI": false on the server's side.
  const { servername } = stream as TLSSocket & { servername?: string | false }
  return {
    accepted: false,
    user,
    database: parameters.get('database') ?? user,
    applicationName: parameters.get('application_name'),
    serverName: servername || undefined,
    directTls,
  }
}

/** Without what the proxy keeps for itself: `options=endpoint=…` names the endpoint for clients without SNI. */
function forwarded(parameters: Map<string, string>): [string, string][] {
  return FORWARDED.flatMap((name): [string, string][] => {
    const value = parameters.get(name)
    if (value === undefined) return []
    if (name !== 'options') return [[name, value]]
    const options = value.split(/(?<!\\)\s+/).filter((option) => option !== '' && !/^(endpoint=|project=|neon_)/.test(option))
    return options.length > 0 ? [[name, options.join(' ')]] : []
  })
}
