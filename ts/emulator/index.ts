/** `lakebase-native/emulator`: Lakebase on this machine, for development and tests. A real PostgreSQL behind an emulated Databricks. */

import { EventEmitter } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { native } from '../native.js'
import { quoteIdentifier } from './administrator.js'
import { Catalogue } from './catalogue.js'
import { Clock } from './clock.js'
import { Compute } from './compute.js'
import { Emulator, type EmulatorEvents, type NetworkTarget } from './emulator.js'
import { Faults } from './faults.js'
import { Front } from './front.js'
import { cloudHosts, IdentityProviders } from './identity-providers.js'
import { Link } from './link.js'
import { resolveOptions, type EmulatorOptions, type Settings } from './options.js'
import { Platform } from './platform.js'
import { startPostgres, type Postgres } from './postgres.js'
import { TokenStore, type Identity } from './tokens.js'
import { Workspace } from './workspace.js'

export type { TextRow } from './administrator.js'
export type { ApiCall } from './api.js'
export type { Counts, Emulator, EmulatorEvents, EnvironmentChoice, NetworkTarget } from './emulator.js'
export type { ApiFault, ClearFault, DatabaseFault, Faults, LoginErrorName, LoginStage } from './faults.js'
export type { EmulatedAuth, EmulatedCloud } from './environments.js'
export type { Login } from './front.js'
export type { IdTokenOptions } from './identity-providers.js'
export type { WireError } from './messages.js'
export type { EmulatorOptions } from './options.js'
export type { LoginRefusal, TokenKind } from './tokens.js'

/**
 * Starts PostgreSQL, its TLS front and the workspace API, in about a second. Keeps the process alive until `stop()`.
 *
 * Apps reach everything through the variables in `env`. Several emulators can run at the same time, in one process or many.
 * PostgreSQL and all files go away with `stop()`, and also when this process exits, crashes or is killed (on Windows: when it exits).
 *
 * Rejects when an option is not valid, when no PostgreSQL is found (the error says what to install) or it does not start, and when a
 * given port is taken.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const settings = resolveOptions(options)
  const closers: (() => unknown)[] = []
  const stop = async (): Promise<void> => {
    // In reverse: clients are cut off first, PostgreSQL ends last.
    for (const close of closers.reverse()) await close()
  }
  try {
    return await start(settings, closers, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

async function start(settings: Settings, closers: (() => unknown)[], stop: () => Promise<void>): Promise<Emulator> {
  const { ca, certificate, key } = native.issueCertificate([...new Set([settings.hostname, 'localhost', '127.0.0.1', '::1', ...cloudHosts])])
  const postgres = await startPostgres(settings.postgres)
  closers.push(() => postgres.stop())
  const caFile = join(postgres.directory, 'ca.pem')
  writeFileSync(caFile, ca)

  const { servicePrincipal, users } = identify(settings)
  const identities = [servicePrincipal, ...users.values()]
  await prepareDatabase(postgres, settings.database, identities)

  const events = new EventEmitter<EmulatorEvents>()
  const clock = new Clock()
  const tokens = new TokenStore(clock)
  const faults = new Faults()
  const compute = new Compute(settings.wakeUpDelayMillis)
  closers.push(() => compute.stop())
  const catalogue = new Catalogue({ ...settings, identities, pgVersion: postgres.version })
  const user = users.get(settings.userName)
  if (user) tokens.accept(settings.personalAccessToken, user)

  const front = await Front.start({
    certificate,
    key,
    backend: postgres.address,
    tokens,
    compute,
    faults,
    served: catalogue.served,
    authErrorStyle: settings.authErrorStyle,
    wakeUp: settings.wakeUp,
    onLogin: (login) => events.emit('login', login),
  })
  closers.push(() => front.close())
  const providers = new IdentityProviders({
    clock,
    tokens,
    identity: servicePrincipal,
    clientSecret: settings.clientSecret,
    lifetimeMillis: settings.accessTokenLifetimeMillis,
  })
  const workspace = await Workspace.start({
    certificate,
    key,
    clock,
    tokens,
    catalogue,
    faults,
    clients: {
      servicePrincipals: new Map([[settings.clientId, { secret: settings.clientSecret, identity: servicePrincipal }]]),
      users,
      subjectToken: settings.subjectToken,
      formOnly: settings.clientAuthentication === 'form',
    },
    providers,
    tokenLifetimeMillis: settings.tokenLifetimeMillis,
    accessTokenLifetimeMillis: settings.accessTokenLifetimeMillis,
    onCall: (call) => events.emit('call', call),
  })
  closers.push(() => workspace.close())

  const open = async (target: NetworkTarget, port: number): Promise<Link> => {
    const { listenHost: host, latencyMillis } = settings
    const link = await Link.open(
      { host, port: settings.ports[target], target: { host: '127.0.0.1', port }, latencyMillis },
      (event, count) => events.emit(event === 'open' ? 'connect' : 'disconnect', target, count),
    )
    closers.push(() => link.close())
    return link
  }
  const links = { api: await open('api', workspace.port), database: await open('database', front.port) }
  const url = `https://${settings.hostname}:${links.api.port}`
  const platform = await Platform.start({
    providers,
    api: { host: settings.listenHost, port: links.api.port },
    isWorkspace: (other) => other === url,
    onCall: (call) => events.emit('call', call),
  })
  closers.push(() => platform.close())
  const around = { settings, providers, workspace: url, machine: platform.url, directory: postgres.directory }
  return new Emulator({ settings, postgres, ca, caFile, catalogue, clock, tokens, compute, front, faults, links, events, around, stop })
}

function identify({ clientId, userName, users }: Settings): { servicePrincipal: Identity; users: Map<string, Identity> } {
  const names = [...new Set([userName, ...users])]
  return {
    servicePrincipal: { kind: 'service-principal', name: clientId, id: '7000000000000000' },
    users: new Map(names.map((name, index) => [name, { kind: 'user', name, id: String(8_000_000_000_000_000 + index) }])),
  }
}

/** Roles and database, as Lakebase makes them for identities that may log in; a project's owner may do everything there. */
async function prepareDatabase(postgres: Postgres, database: string, identities: Identity[]): Promise<void> {
  const names = [...new Set(identities.map(({ name }) => name))].filter((name) => name !== postgres.superuser)
  await postgres.query(names.map((name) => `CREATE ROLE ${quoteIdentifier(name)} LOGIN SUPERUSER`).join(';'))
  if (database !== 'postgres') await postgres.query(`CREATE DATABASE ${quoteIdentifier(database)}`)
}
