/** The examination: from the variables to the privileges in the database. */

import { createLakebasePool } from '../../lakebase.js'
import { getCredential } from '../../credential.js'
import type { LakebasePoolOptions } from '../../lakebase-options.js'
import type { PoolClient } from '../../pool/pool.js'
import { get, getInstance, me, describeIdentity, type DescribedIdentity, type Endpoint, type Instance } from '../workspace.js'
import { codeOf, diagnosis, type DiagnosisCode, type Facts } from './diagnoses.js'
import { openTcp, readCertificate, resolveName, type Address } from './network.js'
import { ok, skipped, wrong, type Check, type Finding } from './step.js'

/** A clock may be so far off before it is told, and before tokens fail. */
const CLOCK_WARNING_MILLIS = 30_000
const CLOCK_FAILURE_MILLIS = 5 * 60_000
const TOKEN_WARNING_MILLIS = 2 * 60_000
const CERTIFICATE_WARNING_MILLIS = 14 * 86_400_000

export interface Versions {
  'lakebase-native': string
  node: string
  platform: string
  postgres?: string
}

export interface Examination {
  checks: Check[]
  /** The finding for an error that a check threw. */
  explain(error: unknown): Finding
  versions: Versions
  end(): Promise<void>
}

export function prepare(options: LakebasePoolOptions): Examination {
  const { profile, authType, databricksHost } = options
  const asking = withoutUndefined({ profile, authType, databricksHost })
  const endpoint = options.endpoint ?? (options.instanceName === undefined ? process.env['LAKEBASE_ENDPOINT'] : undefined)
  const instance = endpoint === undefined ? (options.instanceName ?? process.env['LAKEBASE_INSTANCE_NAME']) : undefined
  const facts: Facts = { host: options.host ?? process.env['PGHOST'] ?? '', port: 0, endpointHost: '', user: '', database: '', endpoint: endpoint ?? instance ?? '', identity: '', schema: '' }
  const { version } = require('../../../package.json') as { version: string }
  const versions: Versions = { 'lakebase-native': version, node: process.version, platform: `${process.platform}-${process.arch}` }

  let pool: ReturnType<typeof createLakebasePool> | undefined
  let client: PoolClient | undefined
  let identity: DescribedIdentity
  let workspace: Address
  let database: Address
  let encrypted = true

  const says = (code: DiagnosisCode, status: 'warning' | 'failure', detail: string): Finding => wrong(status, detail, diagnosis(code, facts))
  const proxied = (): boolean => ['HTTPS_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'].some((name) => process.env[name]) && workspace.host !== 'localhost'

  // With a password of PostgreSQL's own no workspace is asked.
  const ofWorkspace: Check[] = [
    { name: 'identity', needs: ['variables'], run: readIdentity },
    { name: 'workspace name', needs: ['identity'], run: () => (proxied() ? skipped('through a proxy') : name(workspace)) },
    { name: 'workspace connection', needs: ['workspace name'], run: () => reach(workspace) },
    { name: 'workspace certificate', needs: ['workspace connection'], run: () => certificate(workspace, false) },
    { name: 'workspace API', needs: ['identity'], run: callWorkspace },
    { name: 'endpoint', needs: ['workspace API'], run: readEndpoint },
    { name: 'token', needs: ['workspace API'], run: fetchToken },
  ]
  const checks: Check[] = [
    { name: 'variables', run: readVariables },
    ...(facts.endpoint === '' ? [] : ofWorkspace),
    { name: 'database name', needs: ['variables'], run: () => (database.host ? name(database) : skipped('needs: endpoint')) },
    { name: 'database connection', needs: ['database name'], run: () => reach(database) },
    { name: 'database certificate', needs: ['database connection'], run: () => (encrypted ? certificate(database, true) : ok('TLS is off (PGSSLMODE=disable)')) },
    { name: 'login', needs: facts.endpoint === '' ? ['database connection'] : ['token', 'database connection'], run: logIn },
    { name: 'role', needs: ['login'], run: readRole },
    { name: 'privileges', needs: ['login'], run: readPrivileges },
  ]

  function readVariables(): Finding {
    // Made, not connected: this reads and checks everything.
    pool = createLakebasePool({ ...options, max: 1 })
    pool.on('error', () => {})
    const { host, port, user, database: name, encrypted: tls } = pool._settings
    Object.assign(facts, { host, user, database: name })
    encrypted = tls
    database = { host, port }
    const lookedUp = [!host && 'host', !name && 'database', !user && 'user'].filter(Boolean)
    return ok(`${endpoint ?? instance ?? 'a PostgreSQL password'}${lookedUp.length > 0 ? `; ${lookedUp.join(', ')} looked up` : ''}`)
  }

  function readIdentity(): Finding {
    identity = describeIdentity(asking)
    const url = new URL(identity.workspaceUrl)
    workspace = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || (url.protocol === 'http:' ? 80 : 443)) }
    const because = identity.given.length > 0 ? `: ${identity.given.join(', ')}` : ''
    return ok(`${identity.methods.join(', then ')}${because}${identity.warnings.map((warning) => `; ${warning}`).join('')}`)
  }

  async function name({ host, port }: Address): Promise<Finding> {
    Object.assign(facts, { host, port })
    if (host.startsWith('/')) return ok(`Unix socket ${host}`)
    return ok(`${host} is ${(await resolveName(host)).join(', ')}`)
  }

  async function reach(address: Address): Promise<Finding> {
    Object.assign(facts, address)
    if (address.host.startsWith('/')) return ok('Unix socket')
    await openTcp(address)
    return ok(`${address.host}:${address.port}`)
  }

  async function certificate(address: Address, postgres: boolean): Promise<Finding> {
    try {
      const found = await readCertificate(address, { postgres, servername: address.host })
      const left = found.expires.getTime() - Date.now()
      const detail = `${found.protocol}, ${found.subject} by ${found.issuer}, ${Math.floor(left / 86_400_000)} days left`
      // It may have ended since the handshake; OpenSSL's clock and JavaScript's are not one either.
      if (left <= 0) return says('TLS_EXPIRED', 'failure', detail)
      return left < CERTIFICATE_WARNING_MILLIS ? says('TLS_EXPIRES_SOON', 'warning', detail) : ok(detail)
    } catch (error) {
      const code = codeOf(error)
      const { code: system, message } = error as { code?: string; message: string }
      if (system === 'TLS_NOT_OFFERED') return says('TLS_NOT_OFFERED', 'failure', message)
      // What breaks in the handshake and is no matter of trust.
      return says(code.startsWith('TLS_') ? code : 'TLS_FAILED', 'failure', message)
    }
  }

  async function callWorkspace(): Promise<Finding> {
    const before = Date.now()
    const { body, date, method } = await me(asking)
    facts.identity = body.userName ?? ''
    const detail = `${method}: ${facts.identity}`
    if (date === null) return ok(detail)
    // The header has whole seconds, and was made somewhere between the two looks at the clock.
    const now = Date.now()
    const behind = Math.max(0, date - now)
    const ahead = Math.max(0, before - (date + 1000))
    const off = Math.max(behind, ahead)
    const clock = `${detail}; this machine's clock is ${off < 1000 ? 'right' : `${Math.round(off / 1000)} s ${behind > ahead ? 'behind' : 'ahead'}`}`
    if (off < CLOCK_WARNING_MILLIS) return ok(clock)
    return says('CLOCK', off < CLOCK_FAILURE_MILLIS ? 'warning' : 'failure', clock)
  }

  async function readEndpoint(): Promise<Finding> {
    return endpoint === undefined ? readInstance() : readAutoscaling(endpoint)
  }

  async function readAutoscaling(full: string): Promise<Finding> {
    const { status = {} } = await get<Endpoint>(asking, full)
    const { host = '', read_only_host: readOnlyHost, read_write_pooled_host: pooledHost } = status.hosts ?? {}
    const state = `${full.split('/').pop()}: ${(status.current_state ?? 'unknown state').toLowerCase()}`
    database.host ||= host
    Object.assign(facts, { host: database.host, endpointHost: host })
    if (status.disabled) return says('ENDPOINT_DISABLED', 'failure', state)
    if (database.host === pooledHost && pooledHost) return says('POOLED_HOST', 'failure', database.host)
    if (host && ![host, readOnlyHost].includes(database.host)) return says('WRONG_HOST', 'warning', `PGHOST is ${database.host}`)
    return status.current_state === 'IDLE' ? says('ENDPOINT_SUSPENDED', 'warning', `${state}, suspended`) : ok(state)
  }

  async function readInstance(): Promise<Finding> {
    const { state = 'unknown state', read_write_dns: host = '', effective_stopped: stopped } = await getInstance(asking, instance!) as Instance
    database.host ||= host
    const detail = `${instance}: ${state.toLowerCase()}`
    return stopped || state === 'STOPPED' ? says('INSTANCE_STOPPED', 'failure', detail) : ok(detail)
  }

  async function fetchToken(): Promise<Finding> {
    const { token, expiresAt } = await getCredential(options, { refresh: true })
    const left = expiresAt.getTime() - Date.now()
    const claims = claimsOf(token)
    const detail = `good for ${Math.round(left / 60_000)} min${claims ? `; ${claims}` : ''}`
    return left < TOKEN_WARNING_MILLIS ? says('TOKEN_SHORT', 'warning', detail) : ok(detail)
  }

  async function logIn(): Promise<Finding> {
    try {
      client = await pool!.connect()
    } catch (error) {
      const { user, identity: who } = facts
      const code = codeOf(error)
      const mismatched = code === 'LOGIN_REFUSED' && user !== '' && who !== '' && user !== who
      return says(mismatched ? 'ROLE_MISMATCH' : code, 'failure', firstLine(error))
    }
    const { rows } = await client.query<{ version: string }>("select current_setting('server_version') as version")
    versions.postgres = rows[0]!.version
    const { host, database: name } = pool!._settings
    return ok(`PostgreSQL ${versions.postgres}, ${name} on ${host}`)
  }

  async function readRole(): Promise<Finding> {
    const { rows } = await client!.query<{ name: string; superuser: boolean; groups: string[] | null }>(
      `select current_user as name, rolsuper as superuser,
         (select array_agg(g.rolname::text order by 1) from pg_auth_members m join pg_roles g on g.oid = m.roleid where m.member = r.oid) as groups
       from pg_roles r where rolname = current_user`,
    )
    const { name: role, superuser, groups } = rows[0]!
    facts.user = role
    return ok([role, superuser ? 'superuser' : '', ...(groups ?? []).map((group) => `member of ${group}`)].filter(Boolean).join(', '))
  }

  async function readPrivileges(): Promise<Finding> {
    const { rows } = await client!.query<{ schema: string | null; path: string; creates: boolean; tables: number; closed: number }>(
      `select current_schema() as schema, current_setting('search_path') as path, coalesce(has_schema_privilege(current_schema(), 'create'), false) as creates,
         count(c.oid)::int as tables, count(c.oid) filter (where not has_table_privilege(c.oid, 'select'))::int as closed
       from (select 1) one left join pg_class c on c.relnamespace = (select oid from pg_namespace where nspname = current_schema()) and c.relkind in ('r', 'p')`,
    )
    const { schema, path, creates, tables, closed } = rows[0]!
    facts.schema = schema ?? ''
    if (schema === null) return says('NO_SCHEMA', 'failure', `search_path is ${path}`)
    const detail = `schema ${schema}, ${tables} tables`
    if (closed > 0) return says('NO_TABLE_PRIVILEGES', 'warning', `${detail}, ${closed} of them not readable`)
    return creates ? ok(detail) : says('NO_SCHEMA_CREATE', 'warning', detail)
  }

  return {
    checks,
    explain: (error) => says(codeOf(error), 'failure', error instanceof Error && error.name === 'ConfigurationError' ? error.message : firstLine(error)),
    versions,
    async end() {
      client?.release(true)
      await pool?.end()
    },
  }
}

const firstLine = (error: unknown): string => String((error as Error).message ?? error).split('\n')[0]!

/** What a JSON Web Token says of itself, without what makes it secret. Other tokens say nothing. */
function claimsOf(token: string): string | undefined {
  try {
    const { sub, iss, scope } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
    const claims = Object.entries({ sub, iss, scope }).filter(([, value]) => typeof value === 'string')
    return claims.map(([name, value]) => `${name} ${String(value)}`).join(', ') || undefined
  } catch {
    return undefined
  }
}

function withoutUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T
}
