// A PostgreSQL of its own, for logins and transports that the emulator's front does not have.
import { native } from '../../dist/native.js'
import { startPostgres } from '../../dist/emulator/postgres.js'

/** With `tls`, it speaks TLS with a certificate for localhost, whose authority is `ca`. */
export async function postgres({ tls = false, ...options } = {}) {
  if (!tls) return startPostgres(options)
  const { ca, certificate, key } = certificateFor(['localhost', '127.0.0.1'])
  const server = await startPostgres({ ...options, ssl: { certificate, key } })
  return { ...server, ca }
}

/** PEM texts of a new authority, and of a certificate and key of it for these names. */
export function certificateFor(names) {
  return native.issueCertificate(names)
}
