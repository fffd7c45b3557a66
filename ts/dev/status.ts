/** What the status page shows: what happened since the start, and what is going on now. No token, no secret, no parameter of a query. */

import { ADMINISTRATOR } from '../emulator/administrator.js'
import type { Emulator, Issued, Login } from '../emulator/index.js'
import type { SlowQuery } from './slow-queries.js'
import type { SwitchBoard } from './switches.js'

/** Of each kind, the last so many are kept. */
const KEPT = 50
const MAX_TEXT = 500

export interface Session {
  branch: string
  processId: number
  user: string
  database: string
  applicationName: string
  state: string
  /** How long it has been in this state, in milliseconds. */
  millis: number
  /** The statement that runs, or the last one. */
  text: string
}

export interface Status {
  /** Milliseconds since the epoch. */
  now: number
  startedAt: number
  postgresVersion: string
  database: string
  latencyMillis: number
  branches: { name: string; endpoint: string; port: number }[]
  counts: { tokens: number; accepted: number; refused: number; calls: number; failedCalls: number; connections: number; slow: number }
  tokens: Issued[]
  logins: { at: number; accepted: boolean; user: string; database: string; applicationName: string; code: string; refusal: string }[]
  calls: { at: number; method: string; path: string; status: number }[]
  sessions: Session[]
  slowQueries: SlowQuery[]
  /** Names of the switches that are on. */
  on: string[]
}

export class StatusBoard {
  private readonly startedAt = Date.now()
  private readonly counts = { tokens: 0, calls: 0, failedCalls: 0, slow: 0 }
  private readonly tokens: Issued[] = []
  private readonly logins: Status['logins'] = []
  private readonly calls: Status['calls'] = []
  private readonly slowQueries: SlowQuery[] = []

  constructor(
    private readonly emulator: Emulator,
    private readonly switchBoard: SwitchBoard,
    /** As it is now. */
    private readonly latencyMillis: () => number,
    private readonly switchNames: readonly string[],
  ) {
    emulator.events.on('token', (token) => {
      this.counts.tokens++
      keep(this.tokens, token)
    })
    emulator.events.on('login', (login) => keep(this.logins, { at: Date.now(), ...describe(login) }))
    emulator.events.on('call', ({ method, path, status }) => {
      this.counts.calls++
      if (status === 0 || status >= 400) this.counts.failedCalls++
      keep(this.calls, { at: Date.now(), method, path: path.slice(0, MAX_TEXT), status })
    })
  }

  slow(query: SlowQuery): void {
    this.counts.slow++
    keep(this.slowQueries, query)
  }

  async read(): Promise<Status> {
    const { emulator } = this
    const { logins, connections } = emulator.counts
    return {
      now: Date.now(),
      startedAt: this.startedAt,
      postgresVersion: emulator.postgresVersion,
      database: emulator.database,
      latencyMillis: this.latencyMillis(),
      branches: emulator.branches.map(({ name, endpoint, port }) => ({ name, endpoint, port })),
      counts: { ...this.counts, ...logins, connections: connections.database.open },
      tokens: this.tokens,
      logins: this.logins,
      calls: this.calls,
      sessions: (await Promise.all(emulator.branches.map(({ name }) => sessionsOf(emulator, name)))).flat(),
      slowQueries: this.slowQueries,
      on: this.switchNames.filter((name) => this.switchBoard.isOn(name)),
    }
  }
}

/** Newest first. */
function keep<T>(list: T[], item: T): void {
  list.unshift(item)
  if (list.length > KEPT) list.pop()
}

function describe({ accepted, user, database, applicationName = '', code = '', refusal }: Login): Omit<Status['logins'][number], 'at'> {
  const short = (text: string): string => text.slice(0, MAX_TEXT)
  return { accepted, user: short(user), database: short(database), applicationName: short(applicationName), code, refusal: refusal ?? '' }
}

async function sessionsOf(emulator: Emulator, branch: string): Promise<Session[]> {
  const rows = await emulator.query(
    `SELECT pid, usename, datname, application_name, coalesce(state, '') AS state,
            (extract(epoch FROM clock_timestamp() - coalesce(state_change, backend_start)) * 1000)::bigint AS millis,
            left(query, ${MAX_TEXT}) AS query
       FROM pg_stat_activity WHERE backend_type = 'client backend' AND application_name <> '${ADMINISTRATOR}' ORDER BY backend_start LIMIT 200`,
    branch,
  )
  return rows.map((row) => ({
    branch,
    processId: Number(row['pid']),
    user: row['usename'] ?? '',
    database: row['datname'] ?? '',
    applicationName: row['application_name'] ?? '',
    state: row['state'] ?? '',
    millis: Math.max(0, Number(row['millis'])),
    text: row['query'] ?? '',
  }))
}
