/** The workspace's HTTPS API: OAuth tokens, database credentials, the caller's identity and the lists that discovery reads. */

import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { apiError, type ApiAnswer, type ApiCall, type ApiRequest } from './api.js'
import type { Catalogue, Resource } from './catalogue.js'
import type { Clock } from './clock.js'
import { databaseCredential, postgresCredential } from './credentials.js'
import type { ApiFault, Faults } from './faults.js'
import type { IdentityProviders } from './identity-providers.js'
import { discovery, hostMetadata, tokenAnswer, WORKSPACE_ID, type OAuthClients } from './oauth.js'
import { reset } from './reset.js'
import type { Identity, TokenStore } from './tokens.js'

export interface WorkspaceOptions {
  certificate: string
  key: string
  clock: Clock
  tokens: TokenStore
  catalogue: Catalogue
  faults: Faults
  clients: OAuthClients
  providers: IdentityProviders
  /** Longest life of a database credential, in milliseconds. */
  tokenLifetimeMillis: number
  /** Life of an access token, in milliseconds. */
  accessTokenLifetimeMillis: number
  /** Called when a call was answered. */
  onCall: (call: ApiCall) => void
}

const MAX_BODY_BYTES = 1024 * 1024
const PAST_MILLIS = 3_600_000

/** Databricks' error codes by status, for faults. */
const codes: Record<number, string> = {
  400: 'INVALID_PARAMETER_VALUE',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'REQUEST_LIMIT_EXCEEDED',
  500: 'INTERNAL_ERROR',
  503: 'TEMPORARILY_UNAVAILABLE',
}

export class Workspace {
  private readonly server: Server
  /** TCP sockets below TLS, by the client's port: resetting needs them. */
  private readonly sockets = new Map<number, Socket>()
  private readonly timers = new Set<NodeJS.Timeout>()

  private constructor(private readonly options: WorkspaceOptions) {
    const { certificate: cert, key } = options
    this.server = createServer({ cert, key, ALPNProtocols: ['http/1.1'] }, (request, response) => void this.serve(request, response))
    this.server.on('connection', (socket: Socket) => {
      const port = socket.remotePort ?? 0
      socket.setNoDelay(true)
      this.sockets.set(port, socket)
      socket.on('close', () => this.sockets.delete(port))
    })
  }

  /** Listens on any free port of the loopback address. */
  static async start(options: WorkspaceOptions): Promise<Workspace> {
    const workspace = new Workspace(options)
    workspace.server.listen(0, '127.0.0.1')
    await once(workspace.server, 'listening')
    return workspace
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer)
    this.server.close()
    this.server.closeAllConnections()
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request)
    if (body === null) return
    const [path = '/', query] = (request.url ?? '/').split('?', 2)
    const address = request.headers.host ?? 'localhost'
    const headers = request.headers as Record<string, string | undefined>
    const call = {
      method: request.method ?? 'GET',
      path,
      query: new URLSearchParams(query),
      origin: `https://${address}`,
      host: address.replace(/:\d+$/, ''),
      headers,
      authorization: request.headers.authorization,
      body,
    }
    const told = { method: call.method, host: address, path, query: query ?? '', headers, body }
    const fault = this.options.faults.takeApi(call.path)
    if (fault?.kind === 'hang' || fault?.kind === 'reset') {
      if (fault.kind === 'reset') this.reset(request.socket as TLSSocket)
      this.options.onCall({ ...told, status: 0 })
      return
    }
    if (fault?.kind === 'delay') await this.delay(fault.millis)
    const answer = fault?.kind === 'status' ? failure(fault) : this.answer(call)
    this.send(response, answer, fault)
    this.options.onCall({ ...told, status: response.statusCode })
  }

  private send(response: ServerResponse, answer: ApiAnswer, fault: ApiFault | undefined): void {
    response.sendDate = false
    response.writeHead(fault?.kind === 'malformed' ? 200 : answer.status, {
      'Content-Type': 'application/json',
      'X-Databricks-Org-Id': WORKSPACE_ID,
      Date: new Date(this.options.clock.now()).toUTCString(),
      ...answer.headers,
    })
    const text = this.text(answer, fault)
    if (fault?.kind === 'drip') void this.drip(response, text, fault.millis)
    else response.end(text)
  }

  private text({ body }: ApiAnswer, fault: ApiFault | undefined): string {
    switch (fault?.kind) {
      case 'malformed':
        return fault.body ?? '{"token": "eyJ'
      case 'missing':
        return JSON.stringify(Object.fromEntries(Object.entries(body).filter(([name]) => fault.fields && !fault.fields.includes(name))))
      case 'expired':
        return JSON.stringify({ ...body, ...expired(body, this.options.clock.now() - PAST_MILLIS) })
      default:
        return JSON.stringify(body)
    }
  }

  private async drip(response: ServerResponse, text: string, millis: number): Promise<void> {
    for (const byte of text) {
      if (response.destroyed) return
      response.write(byte)
      await this.delay(millis)
    }
    response.end()
  }

  private delay(millis: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.timers.delete(timer)
        resolve()
      }, millis)
      this.timers.add(timer)
    })
  }

  private reset(socket: TLSSocket): void {
    const raw = this.sockets.get(socket.remotePort ?? 0)
    if (raw) reset(raw)
  }

  private answer(request: ApiRequest): ApiAnswer {
    const { method, path } = request
    const elsewhere = this.options.providers.answer(request)
    if (elsewhere) return elsewhere
    if (method === 'GET' && path === '/oidc/.well-known/oauth-authorization-server') return discovery(request.origin)
    if (method === 'GET' && path === '/.well-known/databricks-config') return hostMetadata(request.origin)
    if (method === 'POST' && /^\/oidc\/(accounts\/[^/]+\/)?v1\/token$/.test(path)) return tokenAnswer(request, this.options)
    if (!path.startsWith('/api/')) return notFound(request)
    const caller = this.caller(request)
    if ('status' in caller) return caller
    if (method === 'POST' && path === '/api/2.0/postgres/credentials') return postgresCredential(request.body, caller, this.options)
    if (method === 'POST' && path === '/api/2.0/database/credentials') return databaseCredential(request.body, caller, this.options)
    if (method === 'GET') return this.read(request, caller)
    return notFound(request)
  }

  private caller(request: ApiRequest): Identity | ApiAnswer {
    const problem = this.options.providers.managementProblem(request)
    if (problem !== undefined) return apiError(403, 'PERMISSION_DENIED', problem)
    const token = /^Bearer (.+)$/i.exec(request.authorization ?? '')?.[1]
    if (token === undefined) {
      return apiError(401, 'UNAUTHENTICATED', 'Credential was not sent or was of an unsupported type for this API.')
    }
    return this.options.tokens.caller(token) ?? apiError(401, 'UNAUTHENTICATED', 'Access token is unknown, revoked or expired.')
  }

  private read(request: ApiRequest, caller: Identity): ApiAnswer {
    const { catalogue } = this.options
    const { path } = request
    if (path === '/api/2.0/preview/scim/v2/Me') return me(caller)
    if (path === '/api/2.0/database/instances') return page(request, 'database_instances', catalogue.listInstances())
    const instance = /^\/api\/2\.0\/database\/instances\/([^/]+)$/.exec(path)?.[1]
    if (instance !== undefined) return found(catalogue.getInstance(instance), `Database instance '${instance}'`)
    const name = /^\/api\/2\.0\/postgres\/(projects.*)$/.exec(path)?.[1]
    if (name === undefined) return notFound(request)
    const segments = name.split('/')
    // Collections and ids alternate: an odd number of segments ends in a collection.
    if (segments.length % 2 === 0) return found(catalogue.get(name), `Resource '${name}'`)
    const members = catalogue.list(name)
    return members ? page(request, segments.at(-1) ?? '', members) : found(undefined, `Parent of '${name}'`)
  }
}

async function readBody(request: IncomingMessage): Promise<string | null> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > MAX_BODY_BYTES) return null
      chunks.push(chunk)
    }
  } catch {
    return null
  }
  return Buffer.concat(chunks).toString('utf8')
}

function failure(fault: ApiFault & { kind: 'status' }): ApiAnswer {
  const code = codes[fault.status] ?? 'UNKNOWN'
  const answer = apiError(fault.status, code, fault.message ?? `${code.toLowerCase().replaceAll('_', ' ')} (emulated)`)
  // The OAuth endpoint's failures have other names, RFC 6749 §5.2; clients that know them find both.
  answer.body['error'] = code.toLowerCase()
  if (fault.retryAfterSeconds !== undefined) answer.headers = { 'Retry-After': String(fault.retryAfterSeconds) }
  if (fault.location !== undefined) answer.headers = { ...answer.headers, Location: fault.location }
  return answer
}

function expired(body: Record<string, unknown>, at: number): Record<string, unknown> {
  const past: Record<string, unknown> = {}
  for (const name of ['expire_time', 'expiration_time']) if (name in body) past[name] = new Date(at).toISOString()
  if ('expires_in' in body) past['expires_in'] = -PAST_MILLIS / 1000
  return past
}

function notFound({ method, path }: ApiRequest): ApiAnswer {
  return apiError(404, 'ENDPOINT_NOT_FOUND', `No API found for '${method} ${path}'`)
}

function found(resource: Resource | undefined, what: string): ApiAnswer {
  return resource ? { status: 200, body: resource } : apiError(404, 'NOT_FOUND', `${what} does not exist.`)
}

/** SCIM's own shape: a service principal's userName is its application id. */
function me({ name, id, kind }: Identity): ApiAnswer {
  const emails = kind === 'user' ? [{ type: 'work', value: name, primary: true }] : []
  const schemas = ['urn:ietf:params:scim:schemas:core:2.0:User', 'urn:ietf:params:scim:schemas:extension:workspace:2.0:User']
  return { status: 200, body: { schemas, id, userName: name, displayName: name, active: true, emails } }
}

function page({ query }: ApiRequest, field: string, members: readonly Resource[]): ApiAnswer {
  const size = Number(query.get('page_size') ?? 50)
  const start = Number(Buffer.from(query.get('page_token') ?? '', 'base64url').toString() || 0)
  if (!Number.isInteger(size) || size < 1 || size > 1000) {
    return apiError(400, 'INVALID_PARAMETER_VALUE', 'page_size must be a whole number from 1 to 1000.')
  }
  if (!Number.isInteger(start) || start < 0) return apiError(400, 'INVALID_PARAMETER_VALUE', 'page_token is not valid.')
  const end = start + size
  const body: Record<string, unknown> = { [field]: members.slice(start, end) }
  if (end < members.length) body['next_page_token'] = Buffer.from(String(end)).toString('base64url')
  return { status: 200, body }
}
