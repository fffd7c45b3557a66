/** Errors in the form that node-postgres' callers know: Node's own system errors and plain `Error`s with pg's messages. */

import { databaseError, keptError, toError, type SystemFailure, type WireError } from './errors.js'

/** Node's number for a name that does not resolve (libuv's UV_EAI_NONAME). */
const EAI_NONAME = -3008

/** OpenSSL's words for what Rust's verifier found. */
const certificateMessages: Record<string, string> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'unable to verify the first certificate',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'unable to get local issuer certificate',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'self-signed certificate',
  SELF_SIGNED_CERT_IN_CHAIN: 'self-signed certificate in certificate chain',
  CERT_HAS_EXPIRED: 'certificate has expired',
  CERT_NOT_YET_VALID: 'certificate is not yet valid',
}

export function toPgError(wire: WireError): Error {
  const kept = keptError(wire)
  if (kept) return kept
  if (wire.server) return databaseError(wire.server)
  if (wire.system?.length) return systemError(wire.system)
  // A refusal of our own: node-postgres sends the password, and has no words for this.
  if (wire.code === 'CLEARTEXT_REFUSED') return toError(wire)
  if (wire.kind === 'timeout') return new Error('timeout expired')
  // A server that breaks the protocol: node-postgres' words for it are the cause.
  if (wire.kind === 'protocol' && wire.cause) return new Error(wire.cause)
  const message = (wire.code && certificateMessages[wire.code]) || wire.message
  const error = new Error(message)
  if (wire.code && wire.code in certificateMessages) Object.assign(error, { code: wire.code })
  return error
}

/** One error per address that was tried; several become an AggregateError, as in `net.connect()`. */
function systemError(failures: SystemFailure[]): Error {
  const errors = failures.map(oneSystemError)
  if (errors.length === 1) return errors[0]!
  return Object.assign(new AggregateError(errors), { code: failures[0]!.code })
}

function oneSystemError({ syscall, code, errno, address, port }: SystemFailure): Error {
  const isLookup = syscall === 'getaddrinfo'
  const where = address === null ? '' : port === null ? ` ${address}` : ` ${address}:${port}`
  const error = new Error(`${syscall} ${code}${where}`)
  Object.assign(error, { errno: isLookup ? EAI_NONAME : errno === null ? undefined : -errno, code, syscall })
  if (isLookup) return Object.assign(error, { hostname: address })
  if (address !== null) Object.assign(error, { address })
  if (port !== null) Object.assign(error, { port })
  return error
}
