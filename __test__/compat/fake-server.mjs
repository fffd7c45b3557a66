// A server that speaks just enough of the PostgreSQL protocol to say things a real one says rarely or never.
import { once } from 'node:events'
import net from 'node:net'

const cstring = (text) => Buffer.from(`${text}\0`)
const int16 = (value) => {
  const buffer = Buffer.alloc(2)
  buffer.writeInt16BE(value)
  return buffer
}
const int32 = (value) => {
  const buffer = Buffer.alloc(4)
  buffer.writeInt32BE(value)
  return buffer
}

/** One backend message: its letter, its length, its body. */
export function message(letter, ...parts) {
  const body = Buffer.concat(parts)
  return Buffer.concat([Buffer.from(letter), int32(body.length + 4), body])
}

const fields = (content) => Object.entries(content).map(([letter, text]) => Buffer.concat([Buffer.from(letter), cstring(text)]))

export const say = {
  authenticationOk: () => message('R', int32(0)),
  authentication: (code, ...rest) => message('R', int32(code), ...rest),
  parameterStatus: (name, value) => message('S', cstring(name), cstring(value)),
  backendKeyData: (pid = 4711, secret = 42) => message('K', int32(pid), int32(secret)),
  ready: (status = 'I') => message('Z', Buffer.from(status)),
  commandComplete: (tag) => message('C', cstring(tag)),
  emptyQuery: () => message('I'),
  error: (content) => message('E', ...fields(content), Buffer.from([0])),
  notice: (content) => message('N', ...fields(content), Buffer.from([0])),
  notification: (pid, channel, payload) => message('A', int32(pid), cstring(channel), cstring(payload)),
  rowDescription: (columns) =>
    message(
      'T',
      int16(columns.length),
      ...columns.map(({ name, table = 0, column = 0, type = 25, size = -1, modifier = -1, format = 0 }) =>
        Buffer.concat([cstring(name), int32(table), int16(column), int32(type), int16(size), int32(modifier), int16(format)]),
      ),
    ),
  dataRow: (values) =>
    message(
      'D',
      int16(values.length),
      ...values.map((value) => (value === null ? int32(-1) : Buffer.concat([int32(Buffer.byteLength(value)), Buffer.from(value)]))),
    ),
  /** Everything from authentication to the first ReadyForQuery. */
  welcome: () =>
    Buffer.concat([say.authenticationOk(), say.parameterStatus('client_encoding', 'UTF8'), say.backendKeyData(), say.ready()]),
}

/**
 * @param {(socket: import('node:net').Socket, message: { letter: string | null, body: Buffer }) => void} script
 * called for each message of the client; the startup packet has no letter
 */
export async function startFakeServer(script) {
  const sockets = new Set()
  const listener = net.createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    let started = false
    let pending = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      pending = Buffer.concat([pending, chunk])
      for (;;) {
        const header = started ? 5 : 4
        if (pending.length < header) return
        const length = pending.readInt32BE(header - 4) + header - 4
        if (pending.length < length) return
        const body = pending.subarray(header, length)
        const letter = started ? String.fromCharCode(pending[0]) : null
        pending = pending.subarray(length)
        started = true
        script(socket, { letter, body })
      }
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return {
    host: '127.0.0.1',
    port: listener.address().port,
    async close() {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  }
}
