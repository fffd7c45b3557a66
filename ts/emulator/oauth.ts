/**
 * The workspace's OAuth server: client credentials (M2M) and token exchange (federation).
 * Sources: RFC 6749 §2.3.1, §4.4 and §5.2; RFC 8693; databricks-sdk-go `config/`.
 */

import type { ApiAnswer, ApiRequest } from './api.js'
import type { Clock } from './clock.js'
import { claimsOf } from './identity-providers.js'
import type { Identity, TokenStore } from './tokens.js'

export interface OAuthClients {
  /** Secrets and identities of service principals, by client id. */
  servicePrincipals: ReadonlyMap<string, { secret: string; identity: Identity }>
  /** Users by e-mail address; the first stands in for subject tokens that name nobody known. */
  users: ReadonlyMap<string, Identity>
  /** A subject token to accept although it is no JWT. */
  subjectToken: string | undefined
  /** Client credentials are taken from the form only. */
  formOnly: boolean
}

interface Context {
  clients: OAuthClients
  tokens: TokenStore
  clock: Clock
  accessTokenLifetimeMillis: number
}

export const WORKSPACE_ID = '6051921418418893'
const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const JWT_TYPE = 'urn:ietf:params:oauth:token-type:jwt'

export function discovery(origin: string): ApiAnswer {
  const body = {
    issuer: `${origin}/oidc`,
    authorization_endpoint: `${origin}/oidc/v1/authorize`,
    token_endpoint: `${origin}/oidc/v1/token`,
    grant_types_supported: ['client_credentials', TOKEN_EXCHANGE],
    token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'none'],
    scopes_supported: ['all-apis'],
  }
  return { status: 200, body }
}

/** What a host says of itself. databricks-sdk-go `config/host_metadata.go`. */
export function hostMetadata(origin: string): ApiAnswer {
  const body = {
    oidc_endpoint: `${origin}/oidc`,
    workspace_id: WORKSPACE_ID,
    host_type: 'WORKSPACE_HOST',
    token_federation_default_oidc_audiences: [`${origin}/oidc/v1/token`],
  }
  return { status: 200, body }
}

export function tokenAnswer(request: ApiRequest, context: Context): ApiAnswer {
  const form = new URLSearchParams(request.body)
  if (form.get('scope') !== 'all-apis') return oauthError(400, 'invalid_scope', 'scope must be all-apis')
  const identity = grantee(request, form, context)
  if ('status' in identity) return identity
  const { token } = context.tokens.issueAccess(identity, context.accessTokenLifetimeMillis)
  const expiresIn = Math.floor(context.accessTokenLifetimeMillis / 1000)
  return { status: 200, body: { access_token: token, token_type: 'Bearer', scope: 'all-apis', expires_in: expiresIn } }
}

function grantee(request: ApiRequest, form: URLSearchParams, { clients, clock }: Context): Identity | ApiAnswer {
  const now = clock.now()
  switch (form.get('grant_type')) {
    case 'client_credentials':
      return servicePrincipal(request, form, clients)
    case TOKEN_EXCHANGE:
      return subject(form, clients, now)
    default:
      return oauthError(400, 'unsupported_grant_type', 'grant_type must be client_credentials or token exchange')
  }
}

function servicePrincipal(request: ApiRequest, form: URLSearchParams, { servicePrincipals, formOnly }: OAuthClients): Identity | ApiAnswer {
  const authorization = formOnly ? undefined : request.authorization
  if (formOnly && !form.has('client_id')) return oauthError(400, 'invalid_request', 'client_id is missing')
  const { id, secret } = basicCredentials(authorization) ?? { id: form.get('client_id'), secret: form.get('client_secret') }
  const client = servicePrincipals.get(id ?? '')
  if (client && client.secret === secret) return client.identity
  return oauthError(401, 'invalid_client', 'Client authentication failed')
}

/** RFC 6749 has both halves form-encoded before they are joined; ids and secrets without special characters look the same. */
function basicCredentials(authorization: string | undefined): { id: string; secret: string } | undefined {
  const encoded = /^Basic (.+)$/i.exec(authorization ?? '')?.[1]
  if (encoded === undefined) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) return undefined
  return { id: formDecode(text.slice(0, colon)), secret: formDecode(text.slice(colon + 1)) }
}

function formDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** With a client id the subject acts as that service principal, without one as the user it names (account-wide federation). */
function subject(form: URLSearchParams, { servicePrincipals, users, subjectToken }: OAuthClients, now: number): Identity | ApiAnswer {
  if (form.get('subject_token_type') !== JWT_TYPE) return oauthError(400, 'invalid_request', `subject_token_type must be ${JWT_TYPE}`)
  const token = form.get('subject_token') ?? ''
  const claims = claimsOf(token)
  if (!claims && (subjectToken === undefined || token !== subjectToken)) {
    return oauthError(400, 'invalid_grant', 'subject_token is not a JWT')
  }
  if (claims?.['exp'] !== undefined && Number(claims['exp']) * 1000 <= now) return oauthError(400, 'invalid_grant', 'subject_token has expired')
  const clientId = form.get('client_id')
  if (clientId !== null) {
    return servicePrincipals.get(clientId)?.identity ?? oauthError(401, 'invalid_client', 'Client authentication failed')
  }
  const [first] = users.values()
  const user = users.get(String(claims?.['email'])) ?? users.get(String(claims?.['sub'])) ?? first
  return user ?? oauthError(400, 'invalid_grant', 'no user matches the subject token')
}

function oauthError(status: number, error: string, description: string): ApiAnswer {
  return { status, body: { error, error_description: description } }
}
