/**
 * `pg.Connection`: a socket that speaks PostgreSQL's messages, and nothing more. No client or pool of this package uses it; it is here for
 * programs that do.
 */

import { isIP, Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { serialize } from 'pg-protocol'
import { ProtocolConnection, type Contents } from './protocol-connection.js'

/** What `new Connection()` takes. */
export interface PlainConnectionConfig {
  stream?: Socket | ((config: PlainConnectionConfig) => Socket)
  ssl?: boolean | ConnectionOptions
  sslNegotiation?: 'postgres' | 'direct'
  keepAlive?: boolean
  keepAliveInitialDelayMillis?: number
}

/** Emits `connect`, `sslconnect`, `end` and `error`, besides the messages. */
class Connection extends ProtocolConnection {
  stream: Socket
  parsedStatements: Record<string, string> = {}
  submittedNamedStatements: Record<string, string> = {}
  ssl: boolean | ConnectionOptions
  sslNegotiation: 'postgres' | 'direct'
  /** @internal */
  readonly _keepAlive: boolean | undefined
  /** @internal */
  readonly _keepAliveInitialDelayMillis: number | undefined
  /** @internal */
  _connecting = false

  constructor(config: PlainConnectionConfig = {}) {
    super()
    const { stream } = config
    this.stream = typeof stream === 'function' ? stream(config) : (stream ?? new Socket())
    this._keepAlive = config.keepAlive
    this._keepAliveInitialDelayMillis = config.keepAliveInitialDelayMillis
    this.ssl = config.ssl || false
    this.sslNegotiation = config.sslNegotiation || 'postgres'
  }

  /** Connects to a port of a host, or to a Unix socket's path. */
  connect(port: number | string, host?: string): void {
    this._connecting = true
    this.stream.setNoDelay(true)
    if (typeof port === 'string' && host === undefined) this.stream.connect(port)
    else this.stream.connect(Number(port), host as string)
    this.stream.once('connect', () => {
      if (this._keepAlive) this.stream.setKeepAlive(true, this._keepAliveInitialDelayMillis)
      this.emit('connect')
    })
    this.stream.on('error', this.reportError)
    this.stream.on('close', () => this.emit('end'))
    if (!this.ssl) return this.attachListeners(this.stream)
    if (this.sslNegotiation === 'direct') {
      this.stream.once('connect', () => this.upgradeToSSL(host))
      return
    }
    this.stream.once('data', (answer: Buffer) => {
      const letter = answer.toString('utf8')
      if (letter === 'S') return this.upgradeToSSL(host)
      this.stream.end()
      const refused = letter === 'N' ? 'The server does not support SSL connections' : 'There was an error establishing an SSL connection'
      this.emit('error', new Error(refused))
    })
  }

  private readonly reportError = (error: NodeJS.ErrnoException): void => {
    // Disconnecting, a lost connection is no news.
    if (this._ending && (error.code === 'ECONNRESET' || error.code === 'EPIPE')) return
    this.emit('error', error)
  }

  upgradeToSSL(host?: string): void {
    const options: ConnectionOptions & { host?: string } = { socket: this.stream, ...(host !== undefined && { host }) }
    if (typeof this.ssl === 'object') {
      Object.assign(options, this.ssl)
      // Not enumerable where pg has hidden it.
      if ('key' in this.ssl) options.key = this.ssl.key
    }
    if (this.sslNegotiation === 'direct') options.ALPNProtocols = ['postgresql']
    if (host !== undefined && isIP(host) === 0) options.servername = host
    try {
      this.stream = connectTls(options)
    } catch (error) {
      this.emit('error', error)
      return
    }
    this.attachListeners(this.stream)
    this.stream.on('error', this.reportError)
    this.emit('sslconnect')
  }

  requestSsl(): void {
    this.stream.write(serialize.requestSsl())
  }

  startup(parameters: Contents<'startup'>): void {
    this.stream.write(serialize.startup(parameters))
  }

  cancel(processID: number, secretKey: number): void {
    this._send(serialize.cancel(processID, secretKey))
  }

  password(password: string): void {
    this._send(serialize.password(password))
  }

  sendSASLInitialResponseMessage(mechanism: string, response: string): void {
    this._send(serialize.sendSASLInitialResponseMessage(mechanism, response))
  }

  sendSCRAMClientFinalMessage(data: string): void {
    this._send(serialize.sendSCRAMClientFinalMessage(data))
  }

  ref(): void {
    this.stream.ref()
  }

  unref(): void {
    this.stream.unref()
  }

  /** Says goodbye and closes the socket. */
  end(): void {
    this._ending = true
    if (!this._connecting || !this.stream.writable) {
      this.stream.end()
      return
    }
    this.stream.write(serialize.end(), () => this.stream.end())
  }
}

export { Connection as PlainConnection }
