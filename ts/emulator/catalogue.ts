/**
 * What the workspace holds, in the shapes of the REST API: projects with branches, endpoints, databases and roles (Autoscaling), and
 * instances (Provisioned). Source of the shapes: https://docs.databricks.com/api/workspace/postgres and …/database.
 */

import { createHash } from 'node:crypto'
import type { Identity } from './tokens.js'

export interface CatalogueOptions {
  projects: readonly string[]
  /** Branches of the first project that run; the first one is its default. */
  branches: readonly string[]
  instances: readonly string[]
  hostname: string
  database: string
  identities: readonly Identity[]
  pgVersion: string
}

export interface Resource {
  name: string
  [field: string]: unknown
}

/** Every project has these branches and the first one those that run; only the default one has a read-only endpoint beside the read-write one. */
const BRANCHES = ['production', 'development']

export class Catalogue {
  /** The read-write endpoint of the first project's default branch. */
  readonly endpoint: string
  /** The first instance. */
  readonly instance: string

  private readonly collections = new Map<string, Resource[]>()
  private readonly resources = new Map<string, Resource>()
  private readonly instances: Resource[]

  constructor(private readonly options: CatalogueOptions) {
    const [project = 'emulator'] = options.projects
    this.endpoint = endpointOf(project, options.branches[0] ?? 'production')
    this.instance = options.instances[0] ?? 'emulator'
    this.add('projects', options.projects.map((name) => this.project(name)))
    this.instances = options.instances.map((name) => this.provisioned(name))
  }

  /** The full name of a running branch's read-write endpoint. */
  endpointOfBranch(branch: string): string {
    return endpointOf(this.options.projects[0] ?? 'emulator', branch)
  }

  /** Full names of the endpoints and names of the instances that a branch's PostgreSQL answers for. */
  served(branch: string): readonly string[] {
    const endpoint = this.endpointOfBranch(branch)
    return endpoint === this.endpoint ? [endpoint, this.instance] : [endpoint]
  }

  /** The members of a collection such as `projects/p/branches`. Undefined when its parent does not exist. */
  list(collection: string): readonly Resource[] | undefined {
    return this.collections.get(collection)
  }

  /** The resource of this full name. */
  get(name: string): Resource | undefined {
    return this.resources.get(name)
  }

  listInstances(): readonly Resource[] {
    return this.instances
  }

  getInstance(name: string): Resource | undefined {
    return this.instances.find((instance) => instance.name === name)
  }

  private add(collection: string, members: Resource[]): void {
    this.collections.set(collection, members)
    for (const member of members) this.resources.set(member.name, member)
  }

  private project(id: string): Resource {
    const name = `projects/${id}`
    const running = id === this.options.projects[0] ? this.options.branches : ['production']
    const [first = 'production'] = running
    const branches = [...new Set([...running, ...BRANCHES])]
    this.add(`${name}/branches`, branches.map((branch) => this.branch(name, branch, branch === first, running.includes(branch))))
    return {
      name,
      uid: uid(name),
      status: {
        display_name: id,
        default_branch: `${name}/branches/${first}`,
        pg_version: Number.parseInt(this.options.pgVersion, 10),
        owner: this.options.identities[0]?.name,
        enable_pg_native_login: false,
      },
    }
  }

  private branch(project: string, id: string, isDefault: boolean, isRunning: boolean): Resource {
    const name = `${project}/branches/${id}`
    const endpoints = [this.endpointResource(name, 'primary', 'ENDPOINT_TYPE_READ_WRITE', isRunning ? 'ACTIVE' : 'IDLE')]
    if (isDefault) endpoints.push(this.endpointResource(name, 'replica', 'ENDPOINT_TYPE_READ_ONLY', 'ACTIVE'))
    this.add(`${name}/endpoints`, endpoints)
    this.add(`${name}/roles`, this.options.identities.map((identity) => this.role(name, identity)))
    this.add(`${name}/databases`, [...new Set([this.options.database, 'postgres'])].map((database) => this.databaseOf(name, database)))
    return { name, uid: uid(name), parent: project, status: { default: isDefault, current_state: 'READY', is_protected: isDefault } }
  }

  private endpointResource(branch: string, id: string, type: string, state: string): Resource {
    const name = `${branch}/endpoints/${id}`
    const { hostname } = this.options
    const hosts = type.endsWith('READ_WRITE') ? { host: hostname } : { host: hostname, read_only_host: hostname }
    return {
      name,
      uid: uid(name),
      parent: branch,
      status: { endpoint_type: type, current_state: state, disabled: false, hosts, suspend_timeout_duration: '300s' },
    }
  }

  private databaseOf(branch: string, database: string): Resource {
    const owner = this.options.identities[0]
    const name = `${branch}/databases/${resourceId(database)}`
    const role = owner && `${branch}/roles/${resourceId(owner.name)}`
    return { name, parent: branch, status: { postgres_database: database, role } }
  }

  private role(branch: string, identity: Identity): Resource {
    const role = {
      postgres_role: identity.name,
      identity_type: identity.kind === 'user' ? 'USER' : 'SERVICE_PRINCIPAL',
      auth_method: 'LAKEBASE_OAUTH_V1',
      membership_roles: ['DATABRICKS_SUPERUSER'],
    }
    return { name: `${branch}/roles/${resourceId(identity.name)}`, parent: branch, spec: role, status: role }
  }

  private provisioned(name: string): Resource {
    const { hostname, identities, pgVersion } = this.options
    return {
      name,
      uid: uid(name),
      creator: identities[0]?.name,
      state: 'AVAILABLE',
      capacity: 'CU_1',
      pg_version: `PG_VERSION_${Number.parseInt(pgVersion, 10)}`,
      read_write_dns: hostname,
      read_only_dns: hostname,
      stopped: false,
      effective_stopped: false,
    }
  }
}

const endpointOf = (project: string, branch: string): string => `projects/${project}/branches/${branch}/endpoints/primary`

/** Stable across runs, and shaped like a UUID. */
function uid(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-')
}

/** Resource ids hold lower-case letters, digits and hyphens only. */
function resourceId(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]+/g, '-')
}
