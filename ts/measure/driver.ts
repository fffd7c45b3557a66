/** What is measured: a pool of this package, or of node-postgres where the user's app has it. Reads only. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { Pool as PgPool } from 'pg'
import type { LakebasePoolOptions } from '../lakebase-options.js'

export type DriverName = 'lakebase-native' | 'pg'

/** Where the database is, without a secret. */
export interface Address {
  host: string
  port: number
  user: string
  database: string
  sslMode: string
}

export interface Plan {
  driver: DriverName
  options: LakebasePoolOptions
  /** For pg: this package finds it by itself. */
  address: Address
  connections: number
}

export interface Driver {
  /** One row, by a number. */
  query(value: number): Promise<unknown>
  end(): Promise<void>
}

const TEXT = 'select $1::int as value'
const NAME = 'lakebase bench'

/** What sessions may do, whatever is measured: read, and not for long. */
const SESSION = '-c default_transaction_read_only=on -c statement_timeout=30000'

export function openDriver(plan: Plan): Driver {
  const options = [process.env['PGOPTIONS'], SESSION].filter(Boolean).join(' ')
  return plan.driver === 'pg' ? openPg(plan, options) : openOurs(plan, options)
}

function openOurs({ options, connections }: Plan, session: string): Driver {
  const { createLakebasePool } = require('../lakebase.js') as typeof import('../lakebase.js')
  const pool = createLakebasePool({ ...options, max: connections, application_name: NAME, options: session })
  pool.on('error', () => {})
  return { query: (value) => pool.query(TEXT, [value]), end: () => pool.end() }
}

function openPg({ options, address, connections }: Plan, session: string): Driver {
  const { getDatabaseUrl } = require('../credential.js') as typeof import('../credential.js')
  const file = pgModule()?.file
  if (file === undefined) throw new Error('there is no pg here')
  const pg = require(file) as { Pool: typeof PgPool }
  const { host, port, user, database, sslMode } = address
  const rootFile = process.env['PGSSLROOTCERT']
  const ca = rootFile && rootFile !== 'system' ? readFileSync(rootFile, 'utf8') : undefined
  const ssl = sslMode === 'disable' ? false : { rejectUnauthorized: sslMode !== 'prefer', ...(ca && { ca }) }
  const pool = new pg.Pool({
    host,
    port,
    user,
    database,
    ssl,
    max: connections,
    application_name: NAME,
    options: session,
    // The same token, by the same way.
    password: async () => decodeURIComponent(new URL(await getDatabaseUrl(options)).password),
  })
  pool.on('error', () => {})
  return { query: (value) => pool.query(TEXT, [value]), end: () => pool.end() }
}

/** node-postgres as the working directory's app has it. */
export function pgModule(): { file: string; version: string } | undefined {
  const resolver = createRequire(join(process.cwd(), 'package.json'))
  try {
    const { version } = JSON.parse(readFileSync(resolver.resolve('pg/package.json'), 'utf8')) as { version: string }
    return { file: resolver.resolve('pg'), version }
  } catch {
    return undefined
  }
}
