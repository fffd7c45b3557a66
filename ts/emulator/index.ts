/** `lakebase-native/emulator`: Lakebase on this machine, for development and tests. A real PostgreSQL behind an emulated Databricks. */

import { EventEmitter } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { native } from '../native.js'
import { startBranch, startFront, type Branch } from './branch.js'
import { Catalogue } from './catalogue.js'
import { Clock } from './clock.js'
import { Emulator, type EmulatorEvents, type NetworkTarget } from './emulator.js'
import { Faults } from './faults.js'
import type { Login } from './front.js'
import { cloudHosts, IdentityProviders } from './identity-providers.js'
import { Folder } from './keep.js'
import { Link, type LinkListener, type LinkOptions } from './link.js'
import { resolveOptions, type EmulatorOptions, type Settings } from './options.js'
import { Platform } from './platform.js'
import type { Postgres } from './postgres.js'
import { TokenStore, type Identity } from './tokens.js'
import { Workspace } from './workspace.js'

export type { TextRow } from './administrator.js'
export type { ApiCall } from './api.js'
export type { Counts, Emulator, EmulatorEvents, RunningBranch, EnvironmentChoice, NetworkTarget } from './emulator.js'
export type { ApiFault, ClearFault, DatabaseFault, Faults, LoginErrorName, LoginStage } from './faults.js'
export type { EmulatedAuth, EmulatedCloud } from './environments.js'
export type { Login } from './front.js'
export type { IdTokenOptions } from './identity-providers.js'
export type { WireError } from './messages.js'
export type { EmulatorOptions } from './options.js'
export type { Issued, LoginRefusal, TokenKind } from './tokens.js'

/**
 * Starts PostgreSQL, its TLS front and the workspace API, in about a second. Keeps the process alive until `stop()`.
 *
 * Apps reach everything through the variables in `env`. Several emulators can run at the same time, in one process or many.
 * PostgreSQL and all files go away with `stop()`, and also when this process exits, crashes or is killed (on Windows: when it exits). What
 * `directory` keeps stays.
 *
 * Rejects when an option is not valid, when no PostgreSQL is found (the error says what to install) or it does not start, and when a
 * given port is taken.
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const folder = options.directory === undefined ? undefined : new Folder(options.directory)
  const settings = resolveOptions(withKept(options, folder))
  const closers: (() => unknown)[] = []
  const stop = async (): Promise<void> => {
    // In reverse: clients are cut off first, PostgreSQL ends last.
    for (const close of closers.reverse()) await close()
  }
  try {
    return await start(settings, folder, closers, stop)
  } catch (error) {
    await stop()
    throw error
  }
}

/** What is not given is what it was in the last run. */
function withKept(options: EmulatorOptions, folder: Folder | undefined): EmulatorOptions {
  if (!folder) return options
  const { clientId, clientSecret, personalAccessToken } = folder.kept
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as EmulatorOptions
  return { ...(clientId && { clientId }), ...(clientSecret && { clientSecret }), ...(personalAccessToken && { personalAccessToken }), ...given }
}

async function start(settings: Settings, folder: Folder | undefined, closers: (() => unknown)[], stop: () => Promise<void>): Promise<Emulator> {
  const names = [...new Set([settings.hostname, 'localhost', '127.0.0.1', '::1', ...cloudHosts])]
  const { ca, certificate, key } = folder ? folder.certificate(names, native.issueCertificate) : native.issueCertificate(names)
  const { servicePrincipal, users } = identify(settings)
  const identities = [servicePrincipal, ...users.values()]

  for (const name of settings.branches) folder?.prepare(name, 'production', settings.fresh)
  const servers: { name: string; postgres: Postgres }[] = []
  for (const name of settings.branches) {
    const postgres = await startBranch(name, settings, folder?.dataDir(name), identities)
    closers.push(() => postgres.stop())
    servers.push({ name, postgres })
  }
  const { directory, version } = servers[0]!.postgres
  const caFile = join(folder?.path ?? directory, 'ca.pem')
  writeFileSync(caFile, ca)

  const events = new EventEmitter<EmulatorEvents>()
  const clock = new Clock()
  const tokens = new TokenStore(clock, (issued) => events.emit('token', issued))
  const faults = new Faults()
  const catalogue = new Catalogue({ ...settings, identities, pgVersion: version })
  const user = users.get(settings.userName)
  if (user) tokens.accept(settings.personalAccessToken, user)

  const open = async (target: NetworkTarget, to: number, wanted: number, last: number | undefined): Promise<Link> => {
    const { listenHost: host, latencyMillis } = settings
    const listener: LinkListener = (event, count) => events.emit(event === 'open' ? 'connect' : 'disconnect', target, count)
    const link = await openLink({ host, port: wanted, target: { host: '127.0.0.1', port: to }, latencyMillis }, last, listener)
    closers.push(() => link.close())
    return link
  }

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
  const api = await open('api', workspace.port, settings.ports.api, folder?.kept.ports?.api)

  const branches: Branch[] = []
  for (const { name, postgres } of servers) {
    const { authErrorStyle, wakeUp, wakeUpDelayMillis } = settings
    const onLogin = (login: Login): void => void events.emit('login', login)
    const { compute, front } = await startFront(postgres, wakeUpDelayMillis, {
      certificate,
      key,
      tokens,
      faults,
      served: catalogue.served(name),
      authErrorStyle,
      wakeUp,
      onLogin,
    })
    closers.push(() => compute.stop())
    closers.push(() => front.close())
    const wanted = branches.length === 0 ? settings.ports.database : 0
    const link = await open('database', front.port, wanted, folder?.kept.ports?.database?.[name])
    branches.push({ name, endpoint: catalogue.endpointOfBranch(name), postgres, compute, front, link, isNew: postgres.isNew })
  }

  const { clientId, clientSecret, personalAccessToken } = settings
  const ports = { api: api.port, database: { ...folder?.kept.ports?.database, ...Object.fromEntries(branches.map(({ name, link }) => [name, link.port])) } }
  folder?.save({ clientId, clientSecret, personalAccessToken, ports })
  const url = `https://${settings.hostname}:${api.port}`
  const platform = await Platform.start({
    providers,
    api: { host: settings.listenHost, port: api.port },
    isWorkspace: (other) => other === url,
    onCall: (call) => events.emit('call', call),
  })
  closers.push(() => platform.close())
  const around = { settings, providers, workspace: url, machine: platform.url, directory }
  return new Emulator({ settings, ca, caFile, catalogue, clock, tokens, faults, api, branches, events, around, stop })
}

/** Listens where the last run did, if nobody else does now; a port that was asked for has to be free. */
async function openLink(options: LinkOptions, last: number | undefined, listener: LinkListener): Promise<Link> {
  if (options.port === 0 && last !== undefined) {
    try {
      return await Link.open({ ...options, port: last }, listener)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    }
  }
  return Link.open(options, listener)
}

function identify({ clientId, userName, users }: Settings): { servicePrincipal: Identity; users: Map<string, Identity> } {
  const names = [...new Set([userName, ...users])]
  return {
    servicePrincipal: { kind: 'service-principal', name: clientId, id: '7000000000000000' },
    users: new Map(names.map((name, index) => [name, { kind: 'user', name, id: String(8_000_000_000_000_000 + index) }])),
  }
}
