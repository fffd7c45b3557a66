/** A branch that runs: its PostgreSQL, the TLS front before it and the port that clients connect to. */

import { quoteIdentifier } from './administrator.js'
import { Compute } from './compute.js'
import { Front, type FrontOptions } from './front.js'
import type { Link } from './link.js'
import type { Settings } from './options.js'
import { startPostgres, type Postgres } from './postgres.js'
import type { Identity } from './tokens.js'

export interface Branch {
  name: string
  /** Full name of its read-write endpoint. */
  endpoint: string
  postgres: Postgres
  compute: Compute
  front: Front
  link: Link
  /** It has no data of an earlier run. */
  isNew: boolean
}

/** Starts a branch's PostgreSQL, with the roles and the database that clients expect. */
export async function startBranch(name: string, settings: Settings, dataDir: string | undefined, identities: Identity[]): Promise<Postgres> {
  const { onLog, ...options } = settings.postgres
  const postgres = await startPostgres({ ...options, ...(dataDir !== undefined && { dataDir }), ...(onLog && { onLog: (line) => onLog(line, name) }) })
  try {
    await prepareDatabase(postgres, settings.database, identities)
  } catch (error) {
    await postgres.stop()
    throw error
  }
  return postgres
}

/** Starts what stands before a branch's PostgreSQL. */
export async function startFront(postgres: Postgres, wakeUpDelayMillis: number, options: Omit<FrontOptions, 'backend' | 'compute'>): Promise<{ compute: Compute; front: Front }> {
  const compute = new Compute(wakeUpDelayMillis)
  return { compute, front: await Front.start({ ...options, compute, backend: postgres.address }) }
}

/** Roles and database, as Lakebase makes them for identities that may log in; a project's owner may do everything there. */
async function prepareDatabase(postgres: Postgres, database: string, identities: Identity[]): Promise<void> {
  const names = [...new Set(identities.map(({ name }) => name))]
  const roles = new Set((await postgres.query('SELECT rolname FROM pg_roles')).map(({ rolname }) => rolname))
  const missing = names.filter((name) => !roles.has(name))
  if (missing.length > 0) await postgres.query(missing.map((name) => `CREATE ROLE ${quoteIdentifier(name)} LOGIN SUPERUSER`).join(';'))
  const databases = new Set((await postgres.query('SELECT datname FROM pg_database')).map(({ datname }) => datname))
  if (!databases.has(database)) await postgres.query(`CREATE DATABASE ${quoteIdentifier(database)}`)
}
