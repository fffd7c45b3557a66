/** `ssl.checkServerIdentity`: asks the caller's function whether the certificate belongs to the server that was meant. */

import type { PeerCertificate } from 'node:tls'
import { environment } from '../environment.js'
import { keepError } from '../errors.js'
import type { IdentityEvent } from '../events.js'

/** As in `tls.connect()`: an error refuses the server. */
export type CheckServerIdentity = (host: string, certificate: PeerCertificate) => Error | undefined

/** Answers the event `identity`. */
export function answerIdentity({ question, name, certificates }: IdentityEvent, ssl: { checkServerIdentity?: CheckServerIdentity } | undefined): void {
  let refusal: unknown
  try {
    refusal = ssl?.checkServerIdentity?.(name, certificateOf(certificates))
  } catch (error) {
    refusal = error
  }
  environment.answer(question, null, refusal ? keepError(refusal) : null)
}

/** The server's certificate in Node.js' form, its issuers linked behind it. */
function certificateOf(chain: string[]): PeerCertificate {
  // Loaded for those who ask: it takes longer than most of this package.
  const { X509Certificate } = require('node:crypto') as typeof import('node:crypto')
  const certificates = chain.map((der) => new X509Certificate(Buffer.from(der, 'base64')).toLegacyObject() as PeerCertificate)
  certificates.forEach((certificate, i) => Object.assign(certificate, { issuerCertificate: certificates[i + 1] ?? certificate }))
  return certificates[0] ?? ({} as PeerCertificate)
}
