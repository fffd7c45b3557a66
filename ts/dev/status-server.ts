/**
 * Serves the status page on the loopback address. Other web pages that a browser shows can reach loopback ports, too: a request has to name
 * this server by a loopback name (a page whose own name was made to point here cannot), and whatever changes something has to bring the
 * token that is in the page, which pages of other origins cannot read.
 */

import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Emulator } from '../emulator/index.js'
import { contentSecurityPolicy, page } from './page.js'
import type { StatusBoard } from './status.js'
import { actions, type SwitchBoard } from './switches.js'

const MAX_BODY = 1_000
const MAX_LATENCY_MILLIS = 10_000

export interface StatusServerOptions {
  /** 0 is any free port. */
  port: number
  emulator: Emulator
  statusBoard: StatusBoard
  switchBoard: SwitchBoard
  setLatency: (millis: number) => void
}

interface Answer {
  status: number
  body: unknown
}

export class StatusServer {
  private readonly server: Server
  private readonly token = randomBytes(24).toString('base64url')

  private constructor(private readonly options: StatusServerOptions) {
    this.server = createServer({ requestTimeout: 10_000, headersTimeout: 10_000 }, (request, response) => void this.serve(request, response))
  }

  static async start(options: StatusServerOptions): Promise<StatusServer> {
    const server = new StatusServer(options)
    server.server.listen(options.port, '127.0.0.1')
    await once(server.server, 'listening')
    return server
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  get url(): string {
    return `http://localhost:${this.port}/`
  }

  close(): void {
    this.server.close()
    this.server.closeAllConnections()
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0]!
    if (!this.names(request.headers.host)) return send(response, { status: 421, body: { error: 'this server has another name' } })
    if (request.method === 'GET' && path === '/') {
      response.writeHead(200, { ...headers, 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': contentSecurityPolicy })
      return void response.end(page(this.token))
    }
    try {
      send(response, await this.answer(request, path))
    } catch (error) {
      send(response, { status: 500, body: { error: error instanceof Error ? error.message : String(error) } })
    }
  }

  private async answer(request: IncomingMessage, path: string): Promise<Answer> {
    if (request.method === 'GET' && path === '/status.json') return { status: 200, body: await this.options.statusBoard.read() }
    if (request.method !== 'POST') return { status: request.method === 'GET' ? 404 : 405, body: { error: 'there is nothing here' } }
    if (!this.mayChange(request)) return { status: 403, body: { error: 'only the status page itself can do that: load it again' } }
    const body = await readBody(request)
    if (body === undefined) return { status: 400, body: { error: 'the body must be a small JSON object' } }
    return this.change(path, body)
  }

  private async change(path: string, body: Record<string, unknown>): Promise<Answer> {
    const { emulator, switchBoard, setLatency } = this.options
    const [, kind, name = ''] = /^\/(switches|actions|latency)(?:\/([a-z0-9-]+))?$/.exec(path) ?? []
    if (kind === 'switches') {
      if (typeof body['on'] !== 'boolean') return { status: 400, body: { error: 'on must be true or false' } }
      return (await switchBoard.set(name, body['on'])) ? { status: 200, body: { done: `${name} is ${body['on'] ? 'on' : 'off'}` } } : nothing
    }
    if (kind === 'actions') {
      const action = actions.find((one) => one.name === name)
      return action ? { status: 200, body: { done: await action.run(emulator) } } : nothing
    }
    if (kind !== 'latency' || name !== '') return nothing
    const { millis } = body
    if (typeof millis !== 'number' || !(millis >= 0 && millis <= MAX_LATENCY_MILLIS)) {
      return { status: 400, body: { error: `millis must be a number from 0 to ${MAX_LATENCY_MILLIS}` } }
    }
    setLatency(millis)
    return { status: 200, body: { done: `round trips take ${millis} ms longer` } }
  }

  /** DNS rebinding: a page of another name whose address was changed to this machine's still sends its own name. */
  private names(host: string | undefined): boolean {
    return ['localhost', '127.0.0.1', '[::1]'].some((name) => host === `${name}:${this.port}`)
  }

  private mayChange({ headers: { origin, ['x-lakebase-token']: given, 'content-type': type } }: IncomingMessage): boolean {
    if (origin !== undefined && !(origin.startsWith('http://') && this.names(origin.slice('http://'.length)))) return false
    if (type !== 'application/json' || typeof given !== 'string') return false
    const [a, b] = [Buffer.from(given), Buffer.from(this.token)]
    return a.length === b.length && timingSafeEqual(a, b)
  }
}

const nothing: Answer = { status: 404, body: { error: 'there is nothing here' } }

const headers = {
  'Cache-Control': 'no-store',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
} as const

function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { ...headers, 'Content-Type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(body))
}

/** Undefined for one that is too long or no object. */
async function readBody(request: IncomingMessage): Promise<Record<string, unknown> | undefined> {
  let text = ''
  request.setEncoding('utf8')
  for await (const chunk of request) {
    text += chunk
    if (text.length > MAX_BODY) return undefined
  }
  try {
    const body: unknown = JSON.parse(text || '{}')
    return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
