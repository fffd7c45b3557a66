/**
 * Google Cloud's identities: the token endpoint and the IAM Service Account Credentials API.
 * Sources: Google's documentation of OAuth 2.0 for server to server applications and of `projects.serviceAccounts.generateIdToken`;
 * databricks-sdk-go `config/auth_gcp_*.go`.
 */

import { createVerify, generateKeyPairSync, randomBytes, randomUUID, type KeyPairSyncResult } from 'node:crypto'
import type { ApiAnswer, ApiRequest } from './api.js'
import type { Clock } from './clock.js'
import type { Identity, TokenStore } from './tokens.js'

/** The workspace's name on Google Cloud. */
export const googleWorkspace = '6051921418418893.3.gcp.databricks.com'
const TOKENS = 'oauth2.googleapis.com'
const IAM = 'iamcredentials.googleapis.com'

/** Google's own services, and the workspace beside them. */
export const googleServices: string[] = [TOKENS, IAM]
export const googleHosts: string[] = [googleWorkspace, ...googleServices]

export const serviceAccount = 'lakebase@emulator.iam.gserviceaccount.com'

const TOKEN_URL = `https://${TOKENS}/token`
const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const MAX_LIFE_SECONDS = 3600

interface Context {
  clock: Clock
  tokens: TokenStore
  identity: Identity
  lifetimeMillis: number
}

/** What Google knows of the app; all random but the address. */
const user = { client_id: `${randomUUID()}.apps.googleusercontent.com`, client_secret: randomBytes(18).toString('base64url'), refresh_token: `1//${randomBytes(40).toString('base64url')}` }

let keys: KeyPairSyncResult<string, string> | undefined
/** Made when first asked for: that takes a moment. */
function keyPair(): KeyPairSyncResult<string, string> {
  keys ??= generateKeyPairSync('rsa', { modulusLength: 2048, publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } })
  return keys
}

export class Google {
  private readonly accessTokens = new Set<string>()

  constructor(private readonly context: Context) {}

  /** The file of a service account's key. */
  keyFile(): string {
    const { privateKey: private_key } = keyPair()
    return JSON.stringify({ type: 'service_account', project_id: 'emulator', private_key_id: 'key-1', private_key, client_email: serviceAccount, token_uri: TOKEN_URL }, null, 2)
  }

  /** The file that `gcloud auth application-default login` leaves. */
  userFile(): string {
    return JSON.stringify({ type: 'authorized_user', ...user })
  }

  answer(request: ApiRequest): ApiAnswer {
    if (request.host === TOKENS && request.path === '/token' && request.method === 'POST') return this.token(new URLSearchParams(request.body))
    if (request.host === IAM && request.method === 'POST') return this.idToken(request)
    return { status: 404, body: { error: { code: 404, message: 'Not found', status: 'NOT_FOUND' } } }
  }

  private token(form: URLSearchParams): ApiAnswer {
    if (form.get('grant_type') === 'refresh_token') {
      const isUser = (Object.entries(user) as [string, string][]).every(([name, value]) => form.get(name) === value)
      return isUser ? this.accessToken() : refusal('invalid_grant', 'Token has been expired or revoked.')
    }
    if (form.get('grant_type') !== JWT_BEARER) return refusal('unsupported_grant_type', 'Invalid grant_type')
    const claims = this.verified(form.get('assertion') ?? '')
    if (typeof claims === 'string') return refusal('invalid_grant', claims)
    if (claims['target_audience'] === undefined) return claims['scope'] === 'https://www.googleapis.com/auth/cloud-platform' ? this.accessToken() : refusal('invalid_scope', 'Invalid OAuth scope')
    if (claims['target_audience'] !== `https://${googleWorkspace}`) return refusal('invalid_grant', 'the audience is not the workspace')
    return { status: 200, body: { id_token: this.workspaceToken() } }
  }

  /** The claims of an assertion of the service account's, or what is wrong with it. */
  private verified(assertion: string): Record<string, unknown> | string {
    const [header = '', payload = '', signature = ''] = assertion.split('.')
    const isSigned = createVerify('RSA-SHA256').update(`${header}.${payload}`).verify(keyPair().publicKey, signature, 'base64url')
    if (!isSigned) return 'Invalid JWT Signature.'
    const { alg, kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { alg: string; kid: string }
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
    if (alg !== 'RS256' || kid !== 'key-1') return 'Invalid JWT header.'
    if (claims['iss'] !== serviceAccount || claims['aud'] !== TOKEN_URL) return 'Invalid JWT: issuer or audience.'
    const [issued, expires] = [Number(claims['iat']), Number(claims['exp'])]
    const isInTime = expires * 1000 > this.context.clock.now() && expires - issued <= MAX_LIFE_SECONDS
    return isInTime ? claims : 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.'
  }

  private idToken({ path, authorization, body }: ApiRequest): ApiAnswer {
    const fail = (code: number, status: string, message: string): ApiAnswer => ({ status: code, body: { error: { code, message, status } } })
    if (!this.accessTokens.has(/^Bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '')) return fail(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.')
    if (path !== `/v1/projects/-/serviceAccounts/${serviceAccount}:generateIdToken`) return fail(404, 'NOT_FOUND', 'Not found; Gaia id not found.')
    const { audience, includeEmail } = JSON.parse(body) as { audience?: string; includeEmail?: boolean }
    if (audience !== `https://${googleWorkspace}` || includeEmail !== true) return fail(400, 'INVALID_ARGUMENT', 'Request contains an invalid argument.')
    return { status: 200, body: { token: this.workspaceToken() } }
  }

  private accessToken(): ApiAnswer {
    const token = `ya29.${randomBytes(60).toString('base64url')}`
    this.accessTokens.add(token)
    return { status: 200, body: { access_token: token, expires_in: 3599, token_type: 'Bearer', scope: 'https://www.googleapis.com/auth/cloud-platform' } }
  }

  private workspaceToken(): string {
    const { tokens, identity, lifetimeMillis } = this.context
    return tokens.issueAccess(identity, lifetimeMillis).token
  }
}

function refusal(error: string, description: string): ApiAnswer {
  return { status: 400, body: { error, error_description: description } }
}
