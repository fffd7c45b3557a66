/**
 * The few PostgreSQL wire messages the front and the administrator's connection need.
 * Source: https://www.postgresql.org/docs/current/protocol-message-formats.html
 */

import type { Readable } from 'node:stream'

export const PROTOCOL_3_0 = 0x0003_0000
export const SSL_REQUEST = 80_877_103
export const GSSENC_REQUEST = 80_877_104
export const CANCEL_REQUEST = 80_877_102

/** First byte of a TLS record with a handshake message: the client speaks TLS without an SSLRequest before it. */
export const TLS_HANDSHAKE = 0x16

/** PostgreSQL's MAX_STARTUP_PACKET_LENGTH (src/include/libpq/pqcomm.h). */
const MAX_STARTUP_PACKET = 10_000

/** A startup, cancel or encryption request: everything a client sends before the messages have type bytes. */
export interface StartupPacket {
  code: number
  body: Buffer
}

export interface Message {
  type: string
  body: Buffer
}

/** What an ErrorResponse says. `severity` is FATAL unless told. */
export interface WireError {
  code: string
  message: string
  severity?: 'ERROR' | 'FATAL'
}

/** Resolves when the stream has something to read, or will never have. */
export function readable(stream: Readable): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const events = ['readable', 'end', 'close', 'error']
    const done = (): void => {
      for (const event of events) stream.off(event, done)
      resolve()
    }
    for (const event of events) stream.on(event, done)
  })
}

/** Exactly `size` bytes; what follows stays in the stream. Null when the peer closed first. */
export async function readExactly(stream: Readable, size: number): Promise<Buffer | null> {
  const parts: Buffer[] = []
  for (let missing = size; missing > 0; ) {
    // A part is taken at once: a stream that has anything left says so again and again, and lets nothing else happen meanwhile.
    const chunk = stream.read(Math.min(missing, stream.readableLength || 1)) as Buffer | null
    if (chunk) {
      parts.push(chunk)
      missing -= chunk.length
    } else {
      if (stream.readableEnded || stream.destroyed) return null
      await readable(stream)
    }
  }
  return Buffer.concat(parts)
}

/** The packet whose eight-byte head was already read. Null when the peer closed or the length is impossible. */
export async function readStartupPacket(stream: Readable, head: Buffer): Promise<StartupPacket | null> {
  const length = head.readUInt32BE(0)
  if (length < 8 || length > MAX_STARTUP_PACKET) return null
  const body = await readExactly(stream, length - 8)
  return body && { code: head.readUInt32BE(4), body }
}

/** One typed message of at most `limit` bytes. Null when the peer closed or the length is impossible. */
export async function readMessage(stream: Readable, limit: number): Promise<Message | null> {
  const head = await readExactly(stream, 5)
  if (!head) return null
  const length = head.readUInt32BE(1)
  if (length < 4 || length > limit) return null
  const body = await readExactly(stream, length - 4)
  return body && { type: String.fromCharCode(head[0] ?? 0), body }
}

/** The name/value pairs of a StartupMessage. Null when they are not NUL-terminated pairs. */
export function startupParameters(body: Buffer): Map<string, string> | null {
  const texts = body.toString('utf8').split('\0')
  // "name\0value\0…\0\0" splits into the pairs and two empty texts.
  if (texts.pop() !== '' || texts.pop() !== '' || texts.length % 2 !== 0) return null
  const parameters = new Map<string, string>()
  for (let i = 0; i < texts.length; i += 2) parameters.set(texts[i] ?? '', texts[i + 1] ?? '')
  return parameters
}

export function startupMessage(parameters: Iterable<[string, string]>): Buffer {
  const texts = [...parameters].map(([name, value]) => `${name}\0${value}\0`).join('')
  return startupPacket({ code: PROTOCOL_3_0, body: Buffer.from(`${texts}\0`) })
}

export function startupPacket({ code, body }: StartupPacket): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(body.length + 8, 0)
  head.writeUInt32BE(code, 4)
  return Buffer.concat([head, body])
}

export function message(type: string, body: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.write(type, 0, 'latin1')
  head.writeUInt32BE(body.length + 4, 1)
  return Buffer.concat([head, body])
}

export function authenticationCleartextPassword(): Buffer {
  return message('R', Buffer.from([0, 0, 0, 3]))
}

export function errorResponse({ code, message: text, severity = 'FATAL' }: WireError): Buffer {
  return message('E', Buffer.from(`S${severity}\0V${severity}\0C${code}\0M${text}\0\0`))
}

/** Says that protocol 3.0 is the newest spoken here, and which `_pq_.` options are not known. */
export function negotiateProtocolVersion(options: string[]): Buffer {
  const numbers = Buffer.alloc(8)
  numbers.writeUInt32BE(PROTOCOL_3_0, 0)
  numbers.writeUInt32BE(options.length, 4)
  return message('v', Buffer.concat([numbers, Buffer.from(options.map((option) => `${option}\0`).join(''))]))
}
