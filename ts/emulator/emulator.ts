/** The handle that `startEmulator()` returns: where everything is, what happened, and what can be made to happen. */

import type { EventEmitter } from 'node:events'
import type { TextRow } from './administrator.js'
import type { ApiCall } from './api.js'
import type { Branch } from './branch.js'
import type { Catalogue } from './catalogue.js'
import type { Clock } from './clock.js'
import { identityVariables, type EmulatedAuth, type EmulatedCloud, type Surroundings } from './environments.js'
import type { Faults } from './faults.js'
import type { Login } from './front.js'
import type { IdTokenOptions } from './identity-providers.js'
import type { Link } from './link.js'
import type { Settings } from './options.js'
import type { Issued, TokenKind, TokenStore } from './tokens.js'

/** The two servers that clients reach over the network. */
export type NetworkTarget = 'api' | 'database'

export interface EnvironmentChoice {
  /** Autoscaling has the endpoint in `LAKEBASE_ENDPOINT`, Provisioned the instance in `LAKEBASE_INSTANCE_NAME`. Default `autoscaling`. */
  tier?: 'autoscaling' | 'provisioned'
  /**
   * `m2m`: the service principal's id and secret. `pat`: the user's personal access token. The others are what a platform provides, all for
   * the service principal; Azure's come with `HTTPS_PROXY`, which leads Azure's names to the emulator. Default `m2m`.
   */
  auth?: EmulatedAuth
  /** Which of Azure's clouds, for Azure's identities. Default `public`. */
  cloud?: EmulatedCloud
  /** Which of the branches that run. Default: the first. */
  branch?: string
}

/** A branch that runs. */
export interface RunningBranch {
  name: string
  /** Full name of its endpoint, for `LAKEBASE_ENDPOINT`. */
  endpoint: string
  /** Port of its database. */
  port: number
  /** Whether it began without data. */
  isNew: boolean
}

/** What happened since the start or the last `resetCounts()`. */
export interface Counts {
  /** Calls of the workspace API by path, such as `/oidc/v1/token`, answered or not. */
  api: Record<string, number>
  /** Logins by how they ended at the front; clients that went away before are in neither. */
  logins: { accepted: number; refused: number }
  /** TCP connections to each server: opened since then, and open now. */
  connections: Record<NetworkTarget, { opened: number; open: number }>
}

export interface EmulatorEvents {
  /** A call of the workspace API was answered, or dropped by a fault. */
  call: [call: ApiCall]
  /** A token was issued; its value is not told. */
  token: [issued: Issued]
  /** The front accepted or refused a login. */
  login: [login: Login]
  /** A client's TCP connection opened; how many are open now. */
  connect: [target: NetworkTarget, open: number]
  /** A client's TCP connection is gone; how many are open now. */
  disconnect: [target: NetworkTarget, open: number]
}

/** @internal */
export interface Parts {
  settings: Settings
  ca: string
  caFile: string
  catalogue: Catalogue
  clock: Clock
  tokens: TokenStore
  faults: Faults
  api: Link
  /** The first one is the default. */
  branches: readonly Branch[]
  events: EventEmitter<EmulatorEvents>
  around: Surroundings
  stop(): Promise<void>
}

export class Emulator implements AsyncDisposable {
  /** Variables for an app that uses Autoscaling and OAuth M2M; the same as `envFor()`. */
  readonly env: Record<string, string>
  /** PEM text of the authority that signed both servers' certificate. */
  readonly ca: string
  /** File with `ca`, for `NODE_EXTRA_CA_CERTS`, `SSL_CERT_FILE` and `PGSSLROOTCERT`. Gone after `stop()`. */
  readonly caFile: string
  /** Ports of the workspace API and of the database. */
  readonly ports: Readonly<Record<NetworkTarget, number>>
  /** Full name of the endpoint, for `LAKEBASE_ENDPOINT`. */
  readonly endpoint: string
  /** Name of the Provisioned instance, for `LAKEBASE_INSTANCE_NAME`. */
  readonly instance: string
  /** The branches that run; the first one is the default, which `endpoint`, `env` and `ports` are of. */
  readonly branches: readonly RunningBranch[]
  /** Name of the database. */
  readonly database: string
  /** Version of the PostgreSQL behind, such as `18.4`. */
  readonly postgresVersion: string
  /** Failures of API calls and logins, set and cleared at any time. */
  readonly faults: Faults
  /** Tells when something happens, so that tests need not wait in loops. */
  readonly events: EventEmitter<EmulatorEvents>
  /** Resolves when the PostgreSQL of a branch has ended, asked to or not. */
  readonly ended: Promise<void>

  readonly #parts: Parts
  #counts = emptyCounts()
  #openedBefore: Record<NetworkTarget, number> = { api: 0, database: 0 }
  #stopped: Promise<void> | undefined

  /** @internal */
  constructor(parts: Parts) {
    const { catalogue, api, branches, settings } = parts
    this.#parts = parts
    this.ca = parts.ca
    this.caFile = parts.caFile
    this.branches = branches.map(({ name, endpoint, link, isNew }) => ({ name, endpoint, port: link.port, isNew }))
    this.ports = { api: api.port, database: branches[0]!.link.port }
    this.endpoint = catalogue.endpoint
    this.instance = catalogue.instance
    this.database = settings.database
    this.postgresVersion = branches[0]!.postgres.version
    this.faults = parts.faults
    this.events = parts.events
    this.ended = Promise.race(branches.map(({ postgres }) => postgres.ended))
    this.env = this.envFor()
    this.events.on('call', ({ path }) => (this.#counts.api[path] = (this.#counts.api[path] ?? 0) + 1))
    this.events.on('login', ({ accepted }) => this.#counts.logins[accepted ? 'accepted' : 'refused']++)
  }

  /** Environment variables for an app, as a deployment would set them. They hold secrets of the emulator only. */
  envFor({ tier = 'autoscaling', auth = 'm2m', cloud = 'public', branch }: EnvironmentChoice = {}): Record<string, string> {
    const { settings, around } = this.#parts
    const { endpoint, link } = this.#branch(branch)
    return {
      ...identityVariables(auth, cloud, around),
      ...(tier === 'autoscaling' ? { LAKEBASE_ENDPOINT: endpoint } : { LAKEBASE_INSTANCE_NAME: this.instance }),
      PGHOST: settings.hostname,
      PGPORT: String(link.port),
      PGDATABASE: this.database,
      PGUSER: auth === 'pat' ? settings.userName : settings.clientId,
      PGSSLMODE: 'require',
      NODE_EXTRA_CA_CERTS: this.caFile,
    }
  }

  /** An identity provider's token that the workspace exchanges: with a client id for the service principal's, without for the user whose e-mail address is its subject. */
  idToken(options: IdTokenOptions = {}): string {
    const { providers, workspace } = this.#parts.around
    return providers.idToken({ audience: `${workspace}/oidc/v1/token`, ...options })
  }

  /** A snapshot. */
  get counts(): Counts {
    const { api, logins } = this.#counts
    const connections = (target: NetworkTarget): { opened: number; open: number } => {
      const { opened, open } = this.#traffic(target)
      return { opened: opened - this.#openedBefore[target], open }
    }
    return { api: { ...api }, logins: { ...logins }, connections: { api: connections('api'), database: connections('database') } }
  }

  /** Counts from zero again; connections that are open stay counted as open. */
  resetCounts(): void {
    this.#counts = emptyCounts()
    this.#openedBefore = { api: this.#traffic('api').opened, database: this.#traffic('database').opened }
  }

  /** The emulator's time in milliseconds since the epoch; tokens live and expire by it. */
  now(): number {
    return this.#parts.clock.now()
  }

  /** Moves the emulator's clock by milliseconds, forward or (negative) back. Open database connections go on: tokens count at login. */
  advanceClock(millis: number): void {
    this.#parts.clock.advance(millis)
  }

  /**
   * Makes issued tokens unknown: `database` credentials are refused at the next login, `access` tokens at the next API call.
   * Personal access tokens stay. Default `database`. Returns how many there were.
   */
  revokeTokens(kind: TokenKind = 'database'): number {
    return this.#parts.tokens.revoke(kind)
  }

  /** Changes the full round-trip time, in milliseconds, of one server's network or of both. Holds for bytes sent from now on. */
  setLatency(millis: number, target?: NetworkTarget): void {
    for (const link of this.#links(target)) link.latencyMillis = millis
  }

  /** Stops listening, so that new connections are refused (ECONNREFUSED); open ones go on. Undone by `acceptConnections()`. */
  refuseConnections(target?: NetworkTarget): void {
    for (const link of this.#links(target)) link.refuse()
  }

  /** Listens again after `refuseConnections()`. Rejects when another program took the port meanwhile. */
  async acceptConnections(target?: NetworkTarget): Promise<void> {
    await Promise.all(this.#links(target).map((link) => link.accept()))
  }

  /** With true, open and new connections fall silent without being closed; with false, what was held back arrives. */
  setBlackHole(silent: boolean, target?: NetworkTarget): void {
    for (const link of this.#links(target)) link.blackHole = silent
  }

  /** Resets (RST) every open TCP connection. Returns how many. */
  dropConnections(target?: NetworkTarget): number {
    return this.#links(target).reduce((count, link) => count + link.drop(), 0)
  }

  /**
   * Ends database sessions as an administrator, a failover or a suspension does: FATAL 57P01. Resolves with how many were told to end.
   *
   * With `idleOnly`, only those that run no statement and no transaction, and it resolves when they are gone. A statement that is on its
   * way meanwhile has not been read by its session: no statement that has begun is lost.
   */
  async terminateConnections({ idleOnly = false }: { idleOnly?: boolean } = {}): Promise<number> {
    const ends = this.#parts.branches.map(async ({ name, front }) => {
      const end = async (call: string, condition: string): Promise<number> => {
        const others = `backend_type = 'client backend' AND pid <> pg_backend_pid()`
        return (await this.query(`SELECT ${call} FROM pg_stat_activity WHERE ${others} ${condition}`, name)).length
      }
      if (!idleOnly) return end('pg_terminate_backend(pid)', '')
      return front.quiet(() => end('pg_terminate_backend(pid, 5000)', "AND state = 'idle'"))
    })
    return (await Promise.all(ends)).reduce((sum, count) => sum + count, 0)
  }

  /** Suspends the database as after five idle minutes: ends its sessions and, with `wakeUpDelayMillis`, has the next login wake it. */
  async suspend(): Promise<void> {
    for (const { compute } of this.#parts.branches) compute.suspend()
    await this.terminateConnections()
  }

  /** Ends every failure: faults, refusals and black holes; the latency is that of the options again. */
  async recover(): Promise<void> {
    this.faults.clear()
    this.setBlackHole(false)
    this.setLatency(this.#parts.settings.latencyMillis)
    await this.acceptConnections()
  }

  /**
   * Runs SQL as PostgreSQL's superuser in `database` of a branch (default: the first), past front, tokens and network, for preparing and
   * checking tests. Resolves with the last statement's rows, values as text.
   */
  query(sql: string, branch?: string): Promise<TextRow[]> {
    return this.#branch(branch).postgres.query(sql, this.database)
  }

  /** Ends everything at once and removes all files. Further calls wait for the first. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#parts.stop())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #links(target?: NetworkTarget): Link[] {
    const { api, branches } = this.#parts
    return [...(target === 'database' ? [] : [api]), ...(target === 'api' ? [] : branches.map(({ link }) => link))]
  }

  #traffic(target: NetworkTarget): { opened: number; open: number } {
    const links = this.#links(target)
    const sum = (of: (link: Link) => number): number => links.reduce((total, link) => total + of(link), 0)
    return { opened: sum((link) => link.opened), open: sum((link) => link.open) }
  }

  #branch(name: string | undefined): Branch {
    const { branches } = this.#parts
    const branch = name === undefined ? branches[0] : branches.find((one) => one.name === name)
    if (branch) return branch
    throw new TypeError(`no branch ${name} runs: these do: ${branches.map((one) => one.name).join(', ')}`)
  }
}

function emptyCounts(): Pick<Counts, 'api' | 'logins'> {
  return { api: {}, logins: { accepted: 0, refused: 0 } }
}
