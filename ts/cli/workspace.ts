/** The workspace's API, called by the core as the identity that options and variables say we are. */

// Answers what ways to authenticate ask of this thread.
import '../auth/questions.js'
import { environment, expect } from '../environment.js'
import { restack, toError, type WireError } from '../errors.js'
import { encodeOptions, environmentVariables } from '../config/encode.js'
import type { AuthenticationOptions } from '../config/options.js'

export interface WorkspaceOptions extends AuthenticationOptions {
  databricksHost?: string
}

/** What the workspace answered, and what is known of the access token that asked. */
export interface WorkspaceAnswer<Body> {
  body: Body
  /** The workspace's clock, in milliseconds since 1970, whole seconds; null without a `Date` header. */
  date: number | null
  /** The name of the way that authenticated. */
  method: string
  /** When the access token ends, in milliseconds since 1970; null when nobody told. */
  expiresAt: number | null
  /** The access token, where it was asked for. Secret. */
  token: string | null
}

/** Who we are, as far as that is known without a call. */
export interface DescribedIdentity {
  workspaceUrl: string
  /** Ways to authenticate, in the order in which they are tried. */
  methods: string[]
  /** What chose them, such as `clientId (DATABRICKS_CLIENT_ID)`. */
  given: string[]
  warnings: string[]
}

/** `GET path` of the workspace's API; path and query are encoded already. Rejects as `getToken()` does. */
export function read<Body>(options: WorkspaceOptions, path: string, { token = false } = {}): Promise<WorkspaceAnswer<Body>> {
  return new Promise<WorkspaceAnswer<Body>>((resolve, reject) => {
    const request = expect({ event: (event) => event.event === 'workspace' && resolve(event as WorkspaceAnswer<Body>), fail: reject })
    environment.workspace(request, encodeOptions(options), environmentVariables(), path, token)
  }).catch(restack)
}

/** Throws a `ConfigurationError` with every problem. */
export function describeIdentity(options: WorkspaceOptions): DescribedIdentity {
  const described = JSON.parse(environment.identity(encodeOptions(options), environmentVariables())) as DescribedIdentity | WireError
  if ('kind' in described) throw toError(described)
  return described
}

export interface Project {
  name: string
  status?: { display_name?: string; default_branch?: string }
}

export interface Branch {
  name: string
  status?: { default?: boolean; current_state?: string }
}

export interface Endpoint {
  name: string
  status?: {
    endpoint_type?: string
    current_state?: string
    disabled?: boolean
    hosts?: { host?: string; read_only_host?: string; read_write_pooled_host?: string }
    suspend_timeout_duration?: string
  }
}

export interface Database {
  name: string
  status?: { postgres_database?: string }
}

export interface Instance {
  name: string
  state?: string
  read_write_dns?: string
  effective_stopped?: boolean
}

/** Members of a list that are looked at, in pages. */
const PAGE = 100
const PAGES = 50

/** A list of the Autoscaling API: `projects`, `projects/p/branches`, `…/endpoints`, `…/databases`. */
export function list<Member>(options: WorkspaceOptions, collection: string): Promise<Member[]> {
  return pages(options, `/api/2.0/postgres/${encoded(collection)}`, collection.slice(collection.lastIndexOf('/') + 1))
}

export function listInstances(options: WorkspaceOptions): Promise<Instance[]> {
  return pages(options, '/api/2.0/database/instances', 'database_instances')
}

/** One resource of the Autoscaling API by its full name. */
export async function get<Resource>(options: WorkspaceOptions, name: string): Promise<Resource> {
  return (await read<Resource>(options, `/api/2.0/postgres/${encoded(name)}`)).body
}

export async function getInstance(options: WorkspaceOptions, name: string): Promise<Instance> {
  return (await read<Instance>(options, `/api/2.0/database/instances/${encodeURIComponent(name)}`)).body
}

/** The name of the identity, which is the name of its PostgreSQL role. */
export function me(options: WorkspaceOptions, flags?: { token: boolean }): Promise<WorkspaceAnswer<{ userName?: string }>> {
  return read(options, '/api/2.0/preview/scim/v2/Me', flags)
}

async function pages<Member>(options: WorkspaceOptions, path: string, field: string): Promise<Member[]> {
  const members: Member[] = []
  let token = ''
  for (let page = 0; page < PAGES; page++) {
    const query = `page_size=${PAGE}${token && `&page_token=${encodeURIComponent(token)}`}`
    const { body } = await read<Record<string, unknown>>(options, `${path}?${query}`)
    members.push(...((body[field] as Member[] | undefined) ?? []))
    token = (body['next_page_token'] as string | undefined) ?? ''
    if (!token) break
  }
  return members
}

const encoded = (name: string): string => name.split('/').map(encodeURIComponent).join('/')
