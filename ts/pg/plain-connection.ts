/**
 * `pg.Connection`: a socket that speaks PostgreSQL's messages, and nothing more. No client or pool of this package uses it; it is here for
 * programs that do.
 */

import { EventEmitter } from 'node:events'
import { isIP, Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'

type Protocol = typeof import('pg-protocol')
type Serializer = Protocol['serialize']

/** What `new Connection()` takes. */
export interface PlainConnectionConfig {
  stream?: Socket | ((config: PlainConnectionConfig) => Socket)
  ssl?: boolean | ConnectionOptions
  sslNegotiation?: 'postgres' | 'direct'
  keepAlive?: boolean
  keepAliveInitialDelayMillis?: number
}

let loaded: Protocol | undefined

function protocol(): Protocol {
  return (loaded ??= require('pg-protocol') as Protocol)
}

/** Emits `connect`, `sslconnect`, `end`, `error`, `message` and every message under its own name, `errorMessage` for errors. */
class Connection extends EventEmitter {
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
  _ending = false
  /** @internal */
  _connecting = false
  /** @internal */
  _emitMessage = false

  constructor(config: PlainConnectionConfig = {}) {
    super()
    const { stream } = config
    this.stream = typeof stream === 'function' ? stream(config) : (stream ?? new Socket())
    this._keepAlive = config.keepAlive
    this._keepAliveInitialDelayMillis = config.keepAliveInitialDelayMillis
    this.ssl = config.ssl || false
    this.sslNegotiation = config.sslNegotiation || 'postgres'
    this.on('newListener', (event) => {
      if (event === 'message') this._emitMessage = true
    })
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

  attachListeners(stream: Socket): void {
    void protocol().parse(stream, (message) => {
      if (this._emitMessage) this.emit('message', message)
      this.emit((message.name as string) === 'error' ? 'errorMessage' : message.name, message)
    })
  }

  requestSsl(): void {
    this.stream.write(protocol().serialize.requestSsl())
  }

  startup(parameters: Parameters<Serializer['startup']>[0]): void {
    this.stream.write(protocol().serialize.startup(parameters))
  }

  cancel(processID: number, secretKey: number): void {
    this.send((serialize) => serialize.cancel(processID, secretKey))
  }

  password(password: string): void {
    this.send((serialize) => serialize.password(password))
  }

  sendSASLInitialResponseMessage(mechanism: string, response: string): void {
    this.send((serialize) => serialize.sendSASLInitialResponseMessage(mechanism, response))
  }

  sendSCRAMClientFinalMessage(data: string): void {
    this.send((serialize) => serialize.sendSCRAMClientFinalMessage(data))
  }

  query(text: string): void {
    this.send((serialize) => serialize.query(text))
  }

  parse(query: Parameters<Serializer['parse']>[0]): void {
    this.send((serialize) => serialize.parse(query))
  }

  bind(config?: Parameters<Serializer['bind']>[0]): void {
    this.send((serialize) => serialize.bind(config))
  }

  execute(config?: Parameters<Serializer['execute']>[0]): void {
    this.send((serialize) => serialize.execute(config))
  }

  flush(): void {
    this.send((serialize) => serialize.flush())
  }

  sync(): void {
    this.send((serialize) => serialize.sync())
  }

  close(what: Parameters<Serializer['close']>[0]): void {
    this.send((serialize) => serialize.close(what))
  }

  describe(what: Parameters<Serializer['describe']>[0]): void {
    this.send((serialize) => serialize.describe(what))
  }

  sendCopyFromChunk(chunk: Buffer): void {
    this.send((serialize) => serialize.copyData(chunk))
  }

  endCopyFrom(): void {
    this.send((serialize) => serialize.copyDone())
  }

  sendCopyFail(message: string): void {
    this.send((serialize) => serialize.copyFail(message))
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
    this.stream.write(protocol().serialize.end(), () => this.stream.end())
  }

  private send(message: (serialize: Serializer) => Buffer): void {
    if (this.stream.writable) this.stream.write(message(protocol().serialize))
  }
}

export { Connection as PlainConnection }
