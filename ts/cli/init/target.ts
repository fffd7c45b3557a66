/** Which database: chosen by flags, by being the only or the usual one, or by a person. */

import { exitCodes, Failure } from '../failure.js'
import { isInteractive } from '../output.js'
import type { Choice } from '../prompts.js'
import { get, getInstance, list, listInstances, type Branch, type Database, type Endpoint, type Instance, type Project, type WorkspaceOptions } from '../workspace.js'

export interface TargetFlags {
  project?: string
  branch?: string
  endpoint?: string
  instance?: string
  database?: string
}

/** A database of the workspace. */
export interface Target {
  /** `LAKEBASE_ENDPOINT` or `LAKEBASE_INSTANCE_NAME`. */
  variable: 'LAKEBASE_ENDPOINT' | 'LAKEBASE_INSTANCE_NAME'
  name: string
  host: string
  database: string
}

const USUAL_DATABASE = 'databricks_postgres'

/** What the environment and .env.local say already: to begin with, and to stay with where nobody is asked. */
const current = (name: string): string => process.env[name] ?? ''

/** Throws a `Failure` that lists what there is, where flags do not decide and nobody can be asked. */
export async function chooseTarget(options: WorkspaceOptions, flags: TargetFlags): Promise<Target> {
  if (flags.instance !== undefined) return instanceTarget(await getInstance(options, flags.instance), flags)
  if (flags.endpoint?.includes('/')) return endpointTarget(options, await get<Endpoint>(options, flags.endpoint), flags)
  const projects = await list<Project>(options, 'projects')
  if (projects.length === 0) {
    const instances = await listInstances(options)
    if (instances.length > 0) return instanceTarget(await choose('instance', instances, { nameOf: ({ name }) => name }), flags)
    throw new Failure('this identity sees no Lakebase project and no instance in the workspace', {
      code: 'NO_PROJECT',
      hint: "make one (databricks postgres create-project), or give the identity 'Can use' on one in the workspace",
    })
  }
  const project = await choose('project', projects, {
    wanted: flags.project,
    label: ({ name, status }) => (status?.display_name && status.display_name !== idOf(name) ? `${idOf(name)} (${status.display_name})` : idOf(name)),
  })
  const branches = await list<Branch>(options, `${project.name}/branches`)
  const branch = await choose('branch', branches, {
    wanted: flags.branch,
    usual: ({ name, status }) => status?.default === true || name === project.status?.default_branch,
    hint: ({ status }) => (status?.default ? 'default' : undefined),
  })
  const endpoints = await list<Endpoint>(options, `${branch.name}/endpoints`)
  const endpoint = await choose('endpoint', endpoints, {
    wanted: flags.endpoint,
    usual: ({ status }) => status?.endpoint_type === 'ENDPOINT_TYPE_READ_WRITE',
    hint: ({ status }) => [status?.endpoint_type === 'ENDPOINT_TYPE_READ_WRITE' ? 'read and write' : 'read only', status?.disabled ? 'disabled' : ''].filter(Boolean).join(', '),
  })
  return endpointTarget(options, endpoint, flags)
}

async function endpointTarget(options: WorkspaceOptions, { name, status }: Endpoint, { database }: TargetFlags): Promise<Target> {
  const { host, read_only_host: readOnlyHost } = status?.hosts ?? {}
  const found = status?.endpoint_type === 'ENDPOINT_TYPE_READ_ONLY' ? (readOnlyHost ?? host) : host
  if (!found) throw new Failure(`the endpoint ${name} has no host yet`, { code: 'NO_HOST', hint: 'wait until it has started, or choose another' })
  return { variable: 'LAKEBASE_ENDPOINT', name, host: found, database: database ?? (await chooseDatabase(options, name)) }
}

async function chooseDatabase(options: WorkspaceOptions, endpoint: string): Promise<string> {
  const databases = await list<Database>(options, `${endpoint.split('/endpoints/')[0]}/databases`)
  const names = databases.flatMap(({ status }) => status?.postgres_database ?? []).map((name) => ({ name }))
  const given = names.some(({ name }) => name === current('PGDATABASE')) ? current('PGDATABASE') : USUAL_DATABASE
  const { name } = await choose('database', names, { nameOf: (database) => database.name, usual: (database) => database.name === given })
  return name
}

function instanceTarget({ name, read_write_dns: host }: Instance, { database }: TargetFlags): Target {
  if (!host) throw new Failure(`the instance ${name} has no host yet`, { code: 'NO_HOST', hint: 'wait until it has started' })
  return { variable: 'LAKEBASE_INSTANCE_NAME', name, host, database: database ?? USUAL_DATABASE }
}

interface Choosing<Member> {
  wanted?: string | undefined
  /** The one to take where nobody says. */
  usual?: (member: Member) => boolean
  nameOf?: (member: Member) => string
  label?: (member: Member) => string
  hint?: (member: Member) => string | undefined
}

async function choose<Member extends { name: string }>(kind: string, members: Member[], choosing: Choosing<Member>): Promise<Member> {
  const { wanted, usual, nameOf = ({ name }) => idOf(name), label = nameOf, hint } = choosing
  const names = members.map(nameOf).join(', ')
  if (wanted !== undefined) {
    const found = members.find((member) => nameOf(member) === wanted || member.name === wanted)
    if (found) return found
    throw new Failure(`there is no ${kind} ${wanted}${names ? `; there are: ${names}` : ''}`, { code: 'NOT_FOUND', exitCode: exitCodes.configuration })
  }
  if (members.length === 0) throw new Failure(`there is no ${kind} that this identity may see`, { code: 'NOT_FOUND', exitCode: exitCodes.configuration })
  if (members.length === 1) return members[0]!
  const first = members.find(({ name }) => `${current('LAKEBASE_ENDPOINT')}/`.startsWith(`${name}/`)) ?? (usual && members.find(usual))
  if (isInteractive()) {
    const { select } = require('../prompts.js') as typeof import('../prompts.js')
    const choices = members.map((member): Choice<string> => {
      const told = hint?.(member)
      return { value: member.name, label: label(member), ...(told && { hint: told }) }
    })
    const chosen = await select(`Which ${kind}?`, choices, first?.name)
    return members.find(({ name }) => name === chosen)!
  }
  if (first) return first
  throw new Failure(`there are several ${kind}s: ${names}`, { code: 'AMBIGUOUS', exitCode: exitCodes.usage, hint: `choose one with --${kind}` })
}

const idOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1)
