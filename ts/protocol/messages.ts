/** What the server says without being asked, as pg-protocol's message objects. Loaded with the first one. */

import type { NoticeMessage as Notice } from 'pg-protocol/dist/messages.js'
import { assignServerFields, type WireError } from '../errors.js'

type Messages = typeof import('pg-protocol/dist/messages.js')

let loaded: Messages | undefined

function messages(): Messages {
  return (loaded ??= require('pg-protocol/dist/messages.js') as Messages)
}

export function noticeOf(server: NonNullable<WireError['server']>): Notice {
  const { NoticeMessage } = messages()
  const notice = new NoticeMessage(Number(server.length), server.message === '' ? undefined : String(server.message))
  assignServerFields(notice, server)
  return notice
}

export function notificationOf(processId: number, channel: string, payload: string): object {
  const { NotificationResponseMessage } = messages()
  // Length, process ID, two texts with their terminators.
  const length = 4 + 4 + Buffer.byteLength(channel) + 1 + Buffer.byteLength(payload) + 1
  return new NotificationResponseMessage(length, processId, channel, payload)
}

export function parameterOf(name: string, value: string): object {
  const { ParameterStatusMessage } = messages()
  return new ParameterStatusMessage(4 + Buffer.byteLength(name) + 1 + Buffer.byteLength(value) + 1, name, value)
}

export function keyOf(processId: number, secretKey: number): object {
  const { BackendKeyDataMessage } = messages()
  return new BackendKeyDataMessage(4 + 4 + 4, processId, secretKey)
}
