/**
 * What an app finds on its own machine, over plain HTTP: the managed identity of App Service and of a virtual machine, the metadata service of
 * Databricks' editor plugins; and a proxy that leads every name of Azure's to the emulator, so that an app needs no address but the real ones.
 */

import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { ApiAnswer, ApiCall } from './api.js'
import { nothingHere, platform, type IdentityProviders } from './identity-providers.js'

export interface PlatformOptions {
  providers: IdentityProviders
  /** Where the workspace API listens. */
  api: { host: string; port: number }
  /** The workspace that the metadata service has tokens for. */
  isWorkspace: (url: string) => boolean
  onCall: (call: ApiCall) => void
}

export class Platform {
  private readonly server: Server
  private readonly sockets = new Set<Socket>()

  private constructor(private readonly options: PlatformOptions) {
    this.server = createServer((request, response) => this.serve(request, response))
    this.server.on('connect', (request: IncomingMessage, client: Socket) => this.tunnel(request, client))
  }

  static async start(options: PlatformOptions): Promise<Platform> {
    const platform = new Platform(options)
    platform.server.listen(0, '127.0.0.1')
    await once(platform.server, 'listening')
    return platform
  }

  /** `http://127.0.0.1:…` */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  close(): void {
    this.server.close()
    this.server.closeAllConnections()
    for (const socket of this.sockets) socket.destroy()
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const [path = '/', query] = (request.url ?? '/').split('?', 2)
    const method = request.method ?? 'GET'
    const answer = method === 'GET' ? this.answer(path, new URLSearchParams(query), request) : nothingHere(path)
    response.writeHead(answer.status, { 'Content-Type': 'application/json', ...answer.headers })
    response.end(JSON.stringify(answer.body))
    const headers = request.headers as Record<string, string>
    this.options.onCall({ method, path, status: answer.status, host: headers['host'] ?? '', query: query ?? '', headers, body: '' })
  }

  private answer(path: string, query: URLSearchParams, { headers }: IncomingMessage): ApiAnswer {
    switch (path) {
      case '/msi/token':
        if (headers['x-identity-header'] !== platform.identityHeader) return failure(401, 'invalid_client', 'X-IDENTITY-HEADER is wrong')
        return this.managedIdentity(query, '2019-08-01')
      case '/metadata/identity/oauth2/token':
        if (headers['metadata'] !== 'true') return failure(400, 'bad_request_102', 'Required metadata header not specified')
        return this.managedIdentity(query, '2018-02-01')
      case '/databricks/token':
        return this.metadataService(headers as Record<string, string>)
      default:
        return nothingHere(path)
    }
  }

  private managedIdentity(query: URLSearchParams, version: string): ApiAnswer {
    if (query.get('api-version') !== version) return failure(400, 'bad_request', 'api-version is not supported')
    const client = query.get('client_id')
    if (client !== null && client !== platform.application) return failure(400, 'invalid_request', 'Identity not found')
    const resource = query.get('resource') ?? ''
    if (!resource) return failure(400, 'invalid_resource', 'resource is missing')
    const { token, expiresAt } = this.options.providers.issue(resource)
    return { status: 200, body: { access_token: token, expires_on: String(Math.floor(expiresAt / 1000)), resource, token_type: 'Bearer' } }
  }

  private metadataService(headers: Record<string, string>): ApiAnswer {
    if (headers['x-databricks-metadata-version'] !== '1') return failure(400, 'bad_request', 'the version is not supported')
    if (!this.options.isWorkspace(headers['x-databricks-host'] ?? '')) return failure(404, 'not_found', 'no token for this host')
    const { token, expiresAt } = this.options.providers.issue('2ff814a6-3304-4ab8-85cb-cd0e6f879c1d')
    return { status: 200, body: { access_token: token, token_type: 'Bearer', expires_on: Math.floor(expiresAt / 1000) } }
  }

  private tunnel(_request: IncomingMessage, client: Socket): void {
    const there = connect(this.options.api, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n')
      there.pipe(client).pipe(there)
    })
    for (const socket of [there, client]) {
      this.sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        this.sockets.delete(socket)
        there.destroy()
        client.destroy()
      })
    }
  }
}

function failure(status: number, error: string, description: string): ApiAnswer {
  return { status, body: { error, error_description: description } }
}
