// A certificate authority and a server certificate for 127.0.0.1 and localhost, made afresh for each server.
// Node can sign and parse X.509 but not write it, hence the few lines of DER (RFC 5280, section 4.1).
import { createSign, generateKeyPairSync, randomBytes } from 'node:crypto'

function der(tag, ...parts) {
  const body = Buffer.concat(parts)
  if (body.length < 128) return Buffer.concat([Buffer.from([tag, body.length]), body])
  const length = Buffer.from(body.length.toString(16).padStart(body.length > 255 ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.from([tag, 0x80 | length.length]), length, body])
}

const sequence = (...parts) => der(0x30, ...parts)
const octets = (...parts) => der(0x04, ...parts)
const bits = (content) => der(0x03, Buffer.from([0]), content)
const time = (text) => der(0x17, Buffer.from(text))
const TRUE = der(0x01, Buffer.from([0xff]))
const oid = (hex) => der(0x06, Buffer.from(hex, 'hex'))
const ECDSA_SHA256 = sequence(oid('2a8648ce3d040302'))

const name = (common) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(common)))))
const extension = (id, critical, value) => sequence(oid(id), ...(critical ? [TRUE] : []), octets(value))

function pem(label, content) {
  const lines = content.toString('base64').match(/.{1,64}/g)
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n')
}

/** Without extensions, of X.509 version 1. */
function certificate({ subject, issuer, publicKey, signingKey, extensions }) {
  const body = sequence(
    ...(extensions ? [der(0xa0, der(0x02, Buffer.from([2])))] : []),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_SHA256,
    name(issuer),
    sequence(time('200101000000Z'), time('491231235959Z')),
    name(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(extensions ? [der(0xa3, sequence(...extensions))] : []),
  )
  const signature = createSign('sha256').update(body).sign(signingKey)
  return pem('CERTIFICATE', sequence(body, ECDSA_SHA256, bits(signature)))
}

/** `{ ca: { cert }, server: { cert, key }, version1: { cert, key } }`, all PEM; the last for localhost, too, and of X.509 version 1. */
export function makeCertificates() {
  const ca = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const server = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const version1 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const authority = 'compat test authority'
  const names = sequence(der(0x87, Buffer.from([127, 0, 0, 1])), der(0x82, Buffer.from('localhost')))
  return {
    ca: {
      cert: certificate({
        subject: authority,
        issuer: authority,
        publicKey: ca.publicKey,
        signingKey: ca.privateKey,
        extensions: [extension('551d13', true, sequence(TRUE))],
      }),
    },
    server: {
      key: server.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: certificate({
        subject: 'localhost',
        issuer: authority,
        publicKey: server.publicKey,
        signingKey: ca.privateKey,
        extensions: [extension('551d11', false, names)],
      }),
    },
    version1: {
      key: version1.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: certificate({ subject: 'localhost', issuer: authority, publicKey: version1.publicKey, signingKey: ca.privateKey }),
    },
  }
}
