/** What can be made to go wrong while `lakebase dev` runs: by `--fail` at the start, by the status page at any time. */

import type { ApiFault, ClearFault, DatabaseFault, Emulator } from '../emulator/index.js'

export interface Switch {
  /** For `--fail` and URLs. */
  name: string
  group: 'Workspace API' | 'Logins' | 'Network'
  title: string
  /** What an app meets while it is on. */
  effect: string
  /** Turns it on; the result turns it off. */
  apply(emulator: Emulator): ClearFault | (() => Promise<void>)
}

const api = (name: string, title: string, effect: string, fault: ApiFault): Switch => ({
  name,
  group: 'Workspace API',
  title,
  effect,
  apply: (emulator) => emulator.faults.api(fault),
})

const login = (name: string, title: string, effect: string, fault: DatabaseFault): Switch => ({
  name,
  group: 'Logins',
  title,
  effect,
  apply: (emulator) => emulator.faults.database(fault),
})

export const switches: readonly Switch[] = [
  api('api-unavailable', 'Unavailable', 'every call is answered with 503', { kind: 'status', status: 503 }),
  api('api-rate-limit', 'Rate limit', '429, try again after two seconds', { kind: 'status', status: 429, retryAfterSeconds: 2 }),
  api('api-unauthorized', 'Identity refused', 'no access token is given: 401', { kind: 'status', status: 401, path: /\/token$/ }),
  api('api-slow', 'Slow', 'answers come three seconds late', { kind: 'delay', millis: 3_000 }),
  api('api-hang', 'No answer', 'calls are taken and never answered', { kind: 'hang' }),
  api('api-reset', 'Reset', 'connections are reset', { kind: 'reset' }),
  api('credential-expired', 'Expired credentials', 'credentials say that they ended an hour ago', { kind: 'expired', path: /\/credentials$/ }),
  api('credential-malformed', 'Broken answers', 'credentials are no JSON', { kind: 'malformed', path: /\/credentials$/ }),
  login('starting-up', 'Starting up', '57P03: the database system is starting up', { kind: 'error', error: 'starting-up' }),
  login('too-many-connections', 'Too many connections', '53300: sorry, too many clients already', { kind: 'error', error: 'too-many-connections' }),
  login('compute-unreachable', 'Compute unreachable', "XX000: Couldn't connect to compute node", { kind: 'error', error: 'compute-unreachable' }),
  login('endpoint-disabled', 'Endpoint disabled', 'XX000: endpoint is disabled', { kind: 'error', error: 'endpoint-disabled' }),
  login('login-reset', 'Reset', 'connections are reset during TLS', { kind: 'reset', at: 'tls' }),
  login('login-hang', 'No answer', 'logins get no answer', { kind: 'hang', at: 'startup' }),
  {
    name: 'refuse',
    group: 'Network',
    title: 'Refuse connections',
    effect: 'ECONNREFUSED for new connections to the database',
    apply: (emulator) => {
      emulator.refuseConnections('database')
      return () => emulator.acceptConnections('database')
    },
  },
  {
    name: 'silence',
    group: 'Network',
    title: 'Silence',
    effect: 'nothing passes to or from the database, nothing is closed',
    apply: (emulator) => {
      emulator.setBlackHole(true, 'database')
      return () => emulator.setBlackHole(false, 'database')
    },
  },
]

/** What happens once. */
export interface Action {
  name: string
  title: string
  effect: string
  /** What it did, in words. */
  run(emulator: Emulator): string | Promise<string>
}

const counted = (count: number, thing: string): string => `${count} ${thing}${count === 1 ? '' : 's'}`

export const actions: readonly Action[] = [
  {
    name: 'revoke-tokens',
    title: 'Revoke tokens',
    effect: 'the next login with an old one is refused',
    run: (emulator) => `${counted(emulator.revokeTokens(), 'token')} revoked`,
  },
  {
    name: 'end-sessions',
    title: 'End sessions',
    effect: '57P01, as a failover does',
    run: async (emulator) => `${counted(await emulator.terminateConnections(), 'session')} ended`,
  },
  {
    name: 'drop-connections',
    title: 'Drop connections',
    effect: 'TCP resets without a word',
    run: (emulator) => `${counted(emulator.dropConnections('database'), 'connection')} dropped`,
  },
  {
    name: 'suspend',
    title: 'Suspend',
    effect: 'ends sessions; the next login waits for --wake-delay',
    run: async (emulator) => {
      await emulator.suspend()
      return 'suspended'
    },
  },
]

/** Which switches are on. */
export class SwitchBoard {
  private readonly off = new Map<string, ClearFault | (() => Promise<void>)>()

  constructor(private readonly emulator: Emulator) {}

  isOn(name: string): boolean {
    return this.off.has(name)
  }

  /** False for a name that is none. */
  async set(name: string, on: boolean): Promise<boolean> {
    const found = switches.find((one) => one.name === name)
    if (!found) return false
    const turnOff = this.off.get(name)
    if (on && !turnOff) this.off.set(name, found.apply(this.emulator))
    if (!on && turnOff) {
      this.off.delete(name)
      await turnOff()
    }
    return true
  }
}
