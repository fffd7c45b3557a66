/** Runs SQL as the superuser, straight on the emulator's PostgreSQL: roles, databases, ending sessions. Trust authentication only. */

import { connect, type Socket } from 'node:net'
import { message, readMessage, startupMessage, type Message } from './messages.js'

/** Where PostgreSQL listens: a Unix socket's path, or an address and port. */
export type Address = { path: string } | { host: string; port: number }

export type TextRow = Record<string, string | null>

/** `application_name` of these connections. */
export const ADMINISTRATOR = 'lakebase-native emulator'

const MAX_MESSAGE = 64 * 1024 * 1024

/** Runs `sql` (simple query protocol, so several statements are fine) and returns the last result's rows, values as text. */
export async function runSql(address: Address, user: string, database: string, sql: string): Promise<TextRow[]> {
  const socket = connect(address)
  // Reads report the failure; without a listener the event would end the process.
  let cause: Error | undefined
  socket.on('error', (error) => (cause = error))
  try {
    socket.write(startupMessage([['user', user], ['database', database], ['application_name', ADMINISTRATOR]]))
    await untilReady(socket)
    socket.write(message('Q', Buffer.from(`${sql}\0`)))
    const rows = await untilReady(socket)
    socket.end(message('X', Buffer.alloc(0)))
    return rows
  } catch (error) {
    socket.destroy()
    throw cause ? new Error(`cannot reach the emulator's PostgreSQL: ${cause.message}`, { cause }) : error
  }
}

async function untilReady(socket: Socket): Promise<TextRow[]> {
  let columns: string[] = []
  let rows: TextRow[] = []
  let failure: Error | undefined
  for (;;) {
    const received = await readMessage(socket, MAX_MESSAGE)
    // After a FATAL error the server closes without ReadyForQuery.
    if (!received) throw failure ?? new Error("the emulator's PostgreSQL closed the connection")
    switch (received.type) {
      case 'Z':
        if (failure) throw failure
        return rows
      case 'E':
        failure ??= new Error(errorText(received))
        break
      case 'R':
        if (received.body.readInt32BE(0) !== 0) throw new Error("the emulator's PostgreSQL asks for a password")
        break
      case 'T':
        columns = columnNames(received)
        rows = []
        break
      case 'D':
        rows.push(textRow(received, columns))
        break
    }
  }
}

function errorText({ body }: Message): string {
  const fields = new Map(body.toString('utf8').split('\0').map((field) => [field.charAt(0), field.slice(1)]))
  return `${fields.get('M') ?? 'unknown error'} (SQLSTATE ${fields.get('C') ?? 'unknown'})`
}

function columnNames({ body }: Message): string[] {
  const names: string[] = []
  for (let at = 2; at < body.length; ) {
    const end = body.indexOf(0, at)
    names.push(body.toString('utf8', at, end))
    at = end + 19
  }
  return names
}

function textRow({ body }: Message, columns: string[]): TextRow {
  const row: TextRow = {}
  let at = 2
  for (const column of columns) {
    const length = body.readInt32BE(at)
    at += 4
    row[column] = length < 0 ? null : body.toString('utf8', at, at + length)
    at += Math.max(length, 0)
  }
  return row
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

