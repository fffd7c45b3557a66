/** Checks requests for database credentials, as strictly as the real APIs, and issues them. */

import { apiError, type ApiAnswer } from './api.js'
import type { Catalogue } from './catalogue.js'
import type { Clock } from './clock.js'
import type { Identity, TokenStore } from './tokens.js'

interface Context {
  catalogue: Catalogue
  clock: Clock
  tokens: TokenStore
  tokenLifetimeMillis: number
}

type Fields = Record<string, unknown>

const MIN_TTL_MILLIS = 300_000
const MAX_TTL_MILLIS = 3_600_000

/** `POST /api/2.0/postgres/credentials` (Autoscaling): `{endpoint, claims?, ttl? | expire_time?}` → `{token, expire_time}`. */
export function postgresCredential(text: string, caller: Identity, context: Context): ApiAnswer {
  const body = parse(text, ['endpoint', 'claims', 'ttl', 'expire_time'])
  if (typeof body === 'string') return invalid(body)
  const { endpoint } = body
  if (typeof endpoint !== 'string' || !/^projects\/[^/]+\/branches\/[^/]+\/endpoints\/[^/]+$/.test(endpoint)) {
    return invalid('endpoint must have the form projects/{project}/branches/{branch}/endpoints/{endpoint}.')
  }
  const problem = claimsProblem(body['claims'])
  if (problem !== undefined) return invalid(problem)
  const lifetime = requestedLifetime(body, context.clock.now())
  if (typeof lifetime === 'string') return invalid(lifetime)
  if (!context.catalogue.get(endpoint)) return apiError(404, 'NOT_FOUND', `Endpoint '${endpoint}' does not exist.`)
  const { token, expiresAt } = context.tokens.issueDatabase(caller, [endpoint], Math.min(lifetime, context.tokenLifetimeMillis))
  return { status: 200, body: { token, expire_time: new Date(expiresAt).toISOString() } }
}

/** `POST /api/2.0/database/credentials` (Provisioned): `{instance_names, request_id, claims?}` → `{token, expiration_time}`. */
export function databaseCredential(text: string, caller: Identity, context: Context): ApiAnswer {
  const body = parse(text, ['instance_names', 'request_id', 'claims'])
  if (typeof body === 'string') return invalid(body)
  const { instance_names: names = [], request_id: requestId, claims } = body
  if (!isStringArray(names)) return invalid('instance_names must be an array of instance names.')
  if (requestId !== undefined && typeof requestId !== 'string') return invalid('request_id must be a string.')
  if (names.length === 0 && claims === undefined) return invalid('instance_names or claims is required.')
  const problem = claimsProblem(claims)
  if (problem !== undefined) return invalid(problem)
  const unknown = names.find((name) => !context.catalogue.getInstance(name))
  if (unknown !== undefined) return apiError(404, 'NOT_FOUND', `Database instance '${unknown}' does not exist.`)
  const scope = names.length > 0 ? names : context.catalogue.listInstances().map(({ name }) => name)
  const { token, expiresAt } = context.tokens.issueDatabase(caller, scope, context.tokenLifetimeMillis)
  return { status: 200, body: { token, expiration_time: new Date(expiresAt).toISOString() } }
}

function parse(text: string, known: string[]): Fields | string {
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    return 'Request body is not valid JSON.'
  }
  if (!isObject(body)) return 'Request body must be a JSON object.'
  const unknown = Object.keys(body).find((name) => !known.includes(name))
  return unknown === undefined ? body : `Unknown field '${unknown}'.`
}

/** `[{permission_set: "READ_ONLY", resources: [{table_name}]}]`, or nothing. */
function claimsProblem(claims: unknown): string | undefined {
  if (claims === undefined) return undefined
  if (!Array.isArray(claims)) return 'claims must be an array.'
  for (const claim of claims as unknown[]) {
    if (!isObject(claim) || claim['permission_set'] !== 'READ_ONLY') return 'claims[].permission_set must be READ_ONLY.'
    const resources = claim['resources'] ?? []
    if (!Array.isArray(resources) || !resources.every(namesTable)) return 'claims[].resources[].table_name must be a table name.'
  }
  return undefined
}

function namesTable(resource: unknown): boolean {
  return isObject(resource) && typeof resource['table_name'] === 'string'
}

/** Lifetime in milliseconds (without a request: no bound), or what is wrong with the request. */
function requestedLifetime({ ttl, expire_time: expireTime }: Fields, now: number): number | string {
  if (ttl === undefined && expireTime === undefined) return Number.POSITIVE_INFINITY
  if (ttl !== undefined && expireTime !== undefined) return 'Only one of ttl and expire_time can be set.'
  const millis = ttl !== undefined ? durationMillis(ttl) : Date.parse(String(expireTime)) - now
  if (Number.isNaN(millis)) return ttl !== undefined ? 'ttl must be a duration such as "3600s".' : 'expire_time must be a timestamp.'
  if (millis < MIN_TTL_MILLIS || millis > MAX_TTL_MILLIS) return 'The lifetime must be from 300 to 3600 seconds.'
  return millis
}

function durationMillis(duration: unknown): number {
  const seconds = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)s$/.exec(duration)?.[1] : undefined
  return Number(seconds) * 1000
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}

function invalid(message: string): ApiAnswer {
  return apiError(400, 'INVALID_PARAMETER_VALUE', message)
}
