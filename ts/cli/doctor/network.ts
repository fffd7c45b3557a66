/** Looking at the way to a server from here, layer by layer: name, TCP, TLS. Nothing secret is sent. */

import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls, rootCertificates, type PeerCertificate } from 'node:tls'

const TIMEOUT_MILLIS = 10_000

export interface Address {
  host: string
  port: number
}

export async function resolveName(host: string): Promise<string[]> {
  if (isIP(host)) return [host]
  return [...new Set((await lookup(host, { all: true })).map(({ address }) => address))]
}

/** Opens a TCP connection and closes it; rejects with the system's error or ETIMEDOUT. */
export async function openTcp(address: Address): Promise<void> {
  ;(await tcp(address)).destroy()
}

export interface Certificate {
  protocol: string
  subject: string
  issuer: string
  expires: Date
}

/**
 * The certificate that a server shows, verified against the authorities that the core trusts. With `postgres`, TLS is asked for as PostgreSQL's
 * clients do. Rejects with OpenSSL's code (`CERT_HAS_EXPIRED`, …), or `TLS_NOT_OFFERED`.
 */
export async function readCertificate(address: Address, { postgres, servername }: { postgres: boolean; servername: string }): Promise<Certificate> {
  const socket = await tcp(address)
  try {
    if (postgres) await askForTls(socket)
    const secure = connectTls({ socket, host: servername, ca: authorities(postgres), ...(!isIP(servername) && { servername }) })
    await within(once(secure, 'secureConnect'), 'TLS')
    const { subject, issuer, valid_to: end } = secure.getPeerCertificate() as PeerCertificate
    return { protocol: secure.getProtocol() ?? 'TLS', subject: nameOf(subject) || servername, issuer: nameOf(issuer), expires: new Date(end) }
  } finally {
    socket.destroy()
  }
}

async function tcp({ host, port }: Address): Promise<Socket> {
  const socket = connect({ host, port })
  try {
    await within(once(socket, 'connect'), 'TCP')
  } catch (error) {
    socket.destroy()
    throw error
  }
  // What follows hears of an error where it waits; after that nobody wants to.
  socket.on('error', () => {})
  return socket
}

/** PostgreSQL's SSLRequest: length 8, code 80877103. */
async function askForTls(socket: Socket): Promise<void> {
  socket.write(Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]))
  const answer = await within(firstByte(socket), 'TLS')
  if (answer !== 'S') throw Object.assign(new Error('the server does not offer TLS'), { code: 'TLS_NOT_OFFERED' })
}

function firstByte(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('readable', () => resolve((socket.read(1) as Buffer | null)?.toString('latin1') ?? ''))
    socket.once('error', reject)
    socket.once('close', () => resolve(''))
  })
}

async function within<T>(work: Promise<T>, what: 'TCP' | 'TLS'): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const error = Object.assign(new Error(`no answer within ${TIMEOUT_MILLIS / 1000} s`), { code: `${what}_TIMEOUT` })
    timer = setTimeout(() => reject(error), TIMEOUT_MILLIS)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Node.js' own and those of the variables, which Node.js itself reads when it starts only. For the database, PGSSLROOTCERT replaces them all. */
function authorities(postgres: boolean): string[] {
  const replacing = process.env['PGSSLROOTCERT']
  if (postgres && replacing && replacing !== 'system') return readIfPossible(replacing)
  const files = [process.env['NODE_EXTRA_CA_CERTS'], process.env['SSL_CERT_FILE']]
  return [...rootCertificates, ...files.flatMap((file) => (file ? readIfPossible(file) : []))]
}

function readIfPossible(file: string): string[] {
  try {
    return [readFileSync(file, 'utf8')]
  } catch {
    return []
  }
}

function nameOf(name: PeerCertificate['subject'] | undefined): string {
  const first = (value: string | string[] | undefined): string => (Array.isArray(value) ? value[0]! : (value ?? ''))
  return first(name?.O) || first(name?.CN)
}
