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
  const { servicePrincipal, users } = identify(settings)
  const identities = [servicePrincipal, ...users.values()]
  const { postgres, caFile } = await startDatabase(settings, ca, identities, closers)

  const events = new EventEmitter<EmulatorEvents>()
  const clock = new Clock()
  const tokens = new TokenStore(clock)
  const faults = new Faults()
  const compute = new Compute(settings.wakeUpDelayMillis)
  closers.push(() => compute.stop())
  const catalogue = new Catalogue({ ...settings, identities, pgVersion: postgres.version })
  const user = users.get(settings.userName)
  if (user) tokens.accept(settings.personalAccessToken, user)

  const shared = { certificate, key, tokens, faults }
  const front = await Front.start({
    ...shared,
    backend: postgres.address,
    compute,
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
  const { clientId, clientSecret, subjectToken, clientAuthentication } = settings
  const servicePrincipals = new Map([[clientId, { secret: clientSecret, identity: servicePrincipal }]])
  const workspace = await Workspace.start({
    ...shared,
    clock,
    catalogue,
    clients: { servicePrincipals, users, subjectToken, formOnly: clientAuthentication === 'form' },
    providers,
    tokenLifetimeMillis: settings.tokenLifetimeMillis,
    accessTokenLifetimeMillis: settings.accessTokenLifetimeMillis,
    onCall: (call) => events.emit('call', call),
  })
  closers.push(() => workspace.close())

  const open = (target: NetworkTarget, port: number): Promise<Link> => openLink(settings, target, port, events, closers)
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

/** PostgreSQL with the roles and the database, and the file of the authority that signs all certificates. */
async function startDatabase(
  settings: Settings,
  ca: string,
  identities: Identity[],
  closers: (() => unknown)[],
): Promise<{ postgres: Postgres; caFile: string }> {
  const postgres = await startPostgres(settings.postgres)
  closers.push(() => postgres.stop())
  const caFile = join(postgres.directory, 'ca.pem')
  writeFileSync(caFile, ca)
  await prepareDatabase(postgres, settings.database, identities)
  return { postgres, caFile }
}

/** The way from clients to one of the services, with its latency and its faults. */
async function openLink(
  { listenHost: host, ports, latencyMillis }: Settings,
  target: NetworkTarget,
  port: number,
  events: EventEmitter<EmulatorEvents>,
  closers: (() => unknown)[],
): Promise<Link> {
  const link = await Link.open({ host, port: ports[target], target: { host: '127.0.0.1', port }, latencyMillis }, (event, count) =>
    events.emit(event === 'open' ? 'connect' : 'disconnect', target, count),
  )
  closers.push(() => link.close())
  return link
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
