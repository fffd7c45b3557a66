/** Opens the connection of a client without a pool: asks Rust for it, answers its questions, passes its events on. */

import { environment, expect, listen, refuse } from './environment.js'
import { connectionOf, type ConnectEvent, type ConnectionNews, type EndEvent, type PoolEvent } from './events.js'
import { environmentVariables } from './config/encode.js'
import type { ConnectionOptions } from './config/options.js'
import { inContext } from './query.js'
import { answerPassword, type Password } from './config/password.js'
import type { ConnectionParameters } from './config/connection-parameters.js'
import { toPgError } from './pg-errors.js'
import { answerIdentity, type CheckServerIdentity } from './config/identity.js'
import { noticeOf } from './protocol/messages.js'
import { clientSettings } from './config/resolved.js'

/** The client that wants a connection. */
export interface OpeningClient {
  readonly connectionParameters: ConnectionParameters
  /** Read when the server asks. */
  readonly password: Password | undefined
  readonly ssl: { checkServerIdentity?: CheckServerIdentity } | false
  /** Takes what the new connection says about itself. */
  introduce(event: ConnectEvent): void
  handleEvent(event: ConnectionNews | EndEvent): void
  emit(event: 'notice', notice: object): boolean
}

/** Called with the outcome. */
export interface Outcome {
  /** `connection`: the number in Rust. */
  opened(connection: number): void
  failed(error: Error): void
}

/** Begins to open a connection. Returns the number under which its events are heard, for `unlisten`. */
export function openConnection(client: OpeningClient, options: ConnectionOptions, outcome: Outcome): number {
  // Its events come in the async context of the caller of `connect()`, as in node-postgres.
  const number = listen(inContext((event) => hear(client, event)))
  const request = expect({
    toError: toPgError,
    event: inContext((event) => outcome.opened(connectionOf(event))),
    fail: inContext((error) => outcome.failed(error)),
  })
  try {
    environment.openClient(number, request, clientSettings(client.connectionParameters, options), environmentVariables())
  } catch (error) {
    refuse(request, error as Error)
  }
  return number
}

function hear(client: OpeningClient, event: PoolEvent): void {
  switch (event.event) {
    case 'connect':
      client.introduce(event)
      for (const notice of event.notices) client.emit('notice', noticeOf(notice))
      break
    case 'identity':
      answerIdentity(event, client.ssl || undefined)
      break
    case 'password':
      answerPassword(event.question, client.password, client.connectionParameters)
      break
    case 'retire':
    case 'connecting':
    case 'connectEnded':
      // Of connections of a pool only.
      break
    default:
      client.handleEvent(event)
  }
}
