/**
 * Who vouches for an app outside the workspace: Microsoft Entra, GitHub Actions, Azure DevOps, Key Vault, Google Cloud. Requests are checked as exactly as
 * the real services check them. Sources: Microsoft's documentation of the client credentials flow (v1), managed identities, Key Vault's REST
 * API and Azure DevOps' oidctoken; GitHub's of OpenID Connect in Actions; databricks-sdk-go `config/`.
 */

import { randomBytes, randomUUID } from 'node:crypto'
import { apiError, type ApiAnswer, type ApiRequest } from './api.js'
import type { Clock } from './clock.js'
import { Google, googleHosts, googleServices } from './google.js'
import type { Identity, TokenStore } from './tokens.js'

/** An identity provider's token, for token federation. */
export interface IdTokenOptions {
  /** Default `https://issuer.example`. */
  issuer?: string
  /** Default `repo:emulator`. */
  subject?: string
  /** Default: the workspace's token endpoint. */
  audience?: string
  /** From now, by the emulator's clock; negative for one that has expired. Default 600,000. */
  lifetimeMillis?: number
}

/** The application that stands for every Databricks workspace, and what else tokens are for. */
const WORKSPACE = '2ff814a6-3304-4ab8-85cb-cd0e6f879c1d'
const ENTRA_AUDIENCE = 'api://AzureADTokenExchange'
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
export const VAULT = 'emulator-vault'

/** Hosts of Azure's clouds: of Entra, of a workspace, of the resource for managing, of a vault, of the Resource Manager. */
export const clouds = [
  ['login.microsoftonline.com', 'adb-6051921418418893.3.azuredatabricks.net', 'https://management.core.windows.net/', 'vault.azure.net', 'management.azure.com'],
  [
    'login.microsoftonline.us',
    'adb-6051921418418893.3.databricks.azure.us',
    'https://management.core.usgovcloudapi.net/',
    'vault.usgovcloudapi.net',
    'management.usgovcloudapi.net',
  ],
  ['login.chinacloudapi.cn', 'adb-6051921418418893.3.databricks.azure.cn', 'https://management.core.chinacloudapi.cn/', 'vault.azure.cn', 'management.chinacloudapi.cn'],
] as const

/** The account console, which issues tokens for its workspaces. */
const ACCOUNT_HOST = 'accounts.cloud.databricks.com'

/** Every name that the emulator answers for behind its proxy. */
export const cloudHosts = [
  ...clouds.flatMap(([login, workspace, , vault, manager]) => [login, workspace, `${VAULT}.${vault}`, manager]),
  ...googleHosts,
  ACCOUNT_HOST,
]

/** What the platforms know of the app; all random but the ids. */
export const platform = {
  tenant: randomUUID(),
  application: randomUUID(),
  applicationSecret: randomBytes(20).toString('base64url'),
  resourceId: '/subscriptions/b5d0a5c1-0000-4000-8000-000000000001/resourceGroups/g/providers/Microsoft.Databricks/workspaces/emulator',
  githubToken: `ghs_${randomBytes(20).toString('hex')}`,
  pipelineToken: `ado-${randomBytes(20).toString('hex')}`,
  pipeline: { project: randomUUID(), hub: 'build', plan: randomUUID(), job: randomUUID() },
  identityHeader: randomUUID(),
}

interface Context {
  clock: Clock
  tokens: TokenStore
  /** Whom Azure's identities act as. */
  identity: Identity
  /** The OAuth secret in the vault. */
  clientSecret: string
  lifetimeMillis: number
}

export class IdentityProviders {
  /** Entra's tokens for other resources than the workspace. */
  private readonly resources = new Map<string, string>()
  readonly google: Google

  constructor(private readonly context: Context) {
    this.google = new Google(context)
  }

  /** The answer of another service than the workspace; undefined when the request is the workspace's. */
  answer(request: ApiRequest): ApiAnswer | undefined {
    const { host, path } = request
    if (clouds.some(([login]) => login === host) || path.startsWith('/entra/')) return this.entra(request)
    if (clouds.some(([, , , vault]) => host === `${VAULT}.${vault}`)) return this.vault(request)
    const cloud = clouds.find(([, , , , manager]) => host === manager)
    if (cloud) return this.resourceManager(request, cloud)
    if (googleServices.includes(host)) return this.google.answer(request)
    if (path === '/aad/auth') return this.login(host)
    if (path === '/github/token') return this.github(request)
    if (path.startsWith('/azure-devops/')) return this.azureDevOps(request)
    return undefined
  }

  /** A JSON Web Token of an issuer that nobody but the emulator knows; its signature is random. */
  idToken({ issuer = 'https://issuer.example', subject = 'repo:emulator', audience = '', lifetimeMillis = 600_000 }: IdTokenOptions): string {
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const now = this.context.clock.now()
    const claims = { iss: issuer, sub: subject, aud: audience, iat: Math.floor(now / 1000), exp: Math.floor((now + lifetimeMillis) / 1000) }
    return `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode({ ...claims, jti: randomUUID() })}.${randomBytes(256).toString('base64url')}`
  }

  /** Entra's token for `resource`. Only the one for workspaces is good for the workspace. */
  issue(resource: string): { token: string; expiresAt: number } {
    const { tokens, identity, lifetimeMillis, clock } = this.context
    if (resource === WORKSPACE) return tokens.issueAccess(identity, lifetimeMillis)
    const token = this.idToken({ issuer: 'https://sts.windows.net/', audience: resource, lifetimeMillis })
    this.resources.set(token, resource)
    return { token, expiresAt: clock.now() + lifetimeMillis }
  }

  /** What is wrong with the headers of an identity that manages the workspace; undefined when nothing is, or there are none. */
  managementProblem({ headers }: ApiRequest): string | undefined {
    const [token, id] = [headers['x-databricks-azure-sp-management-token'], headers['x-databricks-azure-workspace-resource-id']]
    if (token === undefined && id === undefined) return undefined
    if (id !== platform.resourceId) return 'X-Databricks-Azure-Workspace-Resource-Id is of another workspace.'
    return clouds.some(([, , management]) => this.resources.get(String(token)) === management) ? undefined : 'the management token is not valid.'
  }

  private entra({ method, path, body }: ApiRequest): ApiAnswer {
    const form = new URLSearchParams(body)
    const tenant = /^(?:\/entra)?\/([^/]+)\/oauth2\/token$/.exec(path)?.[1]
    if (method !== 'POST' || tenant === undefined) return entraError(404, 'not_found', 'AADSTS90013: no such endpoint')
    if (tenant !== platform.tenant) return entraError(400, 'invalid_request', `AADSTS90002: Tenant '${tenant}' not found.`)
    if (form.get('grant_type') !== 'client_credentials') return entraError(400, 'unsupported_grant_type', 'AADSTS70003: unsupported grant type')
    if (form.get('client_id') !== platform.application) return entraError(401, 'unauthorized_client', 'AADSTS700016: application not found')
    const resource = form.get('resource') ?? ''
    if (!this.isResource(resource)) return entraError(400, 'invalid_resource', `AADSTS500011: resource ${resource} was not found`)
    const problem = this.proofProblem(form)
    if (problem !== undefined) return entraError(401, 'invalid_client', problem)
    const { token, expiresAt } = this.issue(resource)
    const lifetime = Math.floor(this.context.lifetimeMillis / 1000)
    // Texts, all of them, as in the first version of the endpoint.
    const times = { expires_in: String(lifetime), ext_expires_in: String(lifetime), expires_on: String(Math.floor(expiresAt / 1000)) }
    return { status: 200, body: { token_type: 'Bearer', ...times, resource, access_token: token } }
  }

  private proofProblem(form: URLSearchParams): string | undefined {
    if (!form.has('client_assertion')) {
      return form.get('client_secret') === platform.applicationSecret ? undefined : 'AADSTS7000215: Invalid client secret provided.'
    }
    if (form.get('client_assertion_type') !== ASSERTION_TYPE) return 'AADSTS50027: client_assertion_type is not valid'
    const claims = claimsOf(form.get('client_assertion') ?? '')
    if (claims?.['aud'] !== ENTRA_AUDIENCE) return 'AADSTS700212: No matching federated identity record found for presented assertion audience'
    return Number(claims['exp']) * 1000 > this.context.clock.now() ? undefined : 'AADSTS700024: Client assertion is not within its valid time range.'
  }

  private isResource(resource: string): boolean {
    return resource === WORKSPACE || clouds.some(([, , ...others]) => [others[0], `https://${others[1]}`, `https://${others[2]}/`].includes(resource))
  }

  /** Tells a workspace's address by its resource id. */
  private resourceManager({ method, path, query, authorization }: ApiRequest, [, workspace, , , manager]: (typeof clouds)[number]): ApiAnswer {
    const fail = (status: number, code: string, message: string): ApiAnswer => ({ status, body: { error: { code, message } } })
    if (this.resources.get(bearer(authorization) ?? '') !== `https://${manager}/`) return fail(401, 'InvalidAuthenticationToken', 'The access token is invalid.')
    if (method !== 'GET' || query.get('api-version') !== '2018-04-01') return fail(400, 'InvalidApiVersionParameter', 'The api-version is invalid.')
    if (path !== platform.resourceId) return fail(404, 'ResourceNotFound', `The Resource '${path}' was not found.`)
    return { status: 200, body: { id: path, name: 'emulator', properties: { workspaceUrl: workspace, provisioningState: 'Succeeded' } } }
  }

  /** Where a workspace on Azure sends its users to log in. */
  private login(host: string): ApiAnswer {
    const cloud = clouds.find(([, workspace]) => workspace === host)
    if (!cloud) return nothingHere('/aad/auth')
    return { status: 302, body: {}, headers: { Location: `https://${cloud[0]}/${platform.tenant}/oauth2/authorize?client_id=${WORKSPACE}` } }
  }

  private vault({ method, host, path, query, authorization }: ApiRequest): ApiAnswer {
    const fail = (status: number, code: string, message: string): ApiAnswer => ({ status, body: { error: { code, message } } })
    if (this.resources.get(bearer(authorization) ?? '') !== `https://${host.slice(VAULT.length + 1)}`) return fail(401, 'Unauthorized', 'AKV10000: no token for this vault')
    if (method !== 'GET' || query.get('api-version') !== '7.4') return fail(400, 'BadParameter', 'api-version is not supported')
    if (path !== '/secrets/databricks-client-secret') return fail(404, 'SecretNotFound', `no secret ${path}`)
    return { status: 200, body: { value: this.context.clientSecret, id: `https://${host}${path}/1`, attributes: { enabled: true } } }
  }

  private github({ method, query, authorization }: ApiRequest): ApiAnswer {
    if (method !== 'GET' || query.get('api-version') !== '2.0') return { status: 400, body: { message: 'bad request' } }
    if (bearer(authorization) !== platform.githubToken) return { status: 401, body: { message: 'Bad credentials' } }
    const audience = query.get('audience') ?? 'https://github.com/emulator'
    const value = this.idToken({ issuer: 'https://token.actions.githubusercontent.com', subject: 'repo:emulator/app:ref:refs/heads/main', audience })
    return { status: 200, body: { count: value.length, value } }
  }

  private azureDevOps({ method, path, query, authorization }: ApiRequest): ApiAnswer {
    const { project, hub, plan, job } = platform.pipeline
    const expected = `/azure-devops/${project}/_apis/distributedtask/hubs/${hub}/plans/${plan}/jobs/${job}/oidctoken`
    if (method !== 'POST' || path !== expected || query.get('api-version') !== '7.2-preview.1') return { status: 404, body: { message: 'not found' } }
    if (bearer(authorization) !== platform.pipelineToken) return { status: 401, body: { message: 'TF400813: not authorized' } }
    return { status: 200, body: { oidcToken: this.idToken({ issuer: 'https://vstoken.dev.azure.com/emulator', subject: 'sc://emulator', audience: ENTRA_AUDIENCE }) } }
  }
}

function entraError(status: number, error: string, description: string): ApiAnswer {
  return { status, body: { error, error_description: `${description} Trace ID: ${randomUUID()}`, error_codes: [] } }
}

export function bearer(authorization: string | undefined): string | undefined {
  return /^Bearer (.+)$/i.exec(authorization ?? '')?.[1]
}

/** The claims of a JSON Web Token; undefined for anything else. */
export function claimsOf(token: string): Record<string, unknown> | undefined {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(parts[1] ?? '', 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? { ...claims } : undefined
  } catch {
    return undefined
  }
}

/** Nothing of the kind is served here. */
export function nothingHere(path: string): ApiAnswer {
  return apiError(404, 'NOT_FOUND', `nothing is served at ${path}`)
}
