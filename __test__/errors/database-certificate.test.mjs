// The database shows a certificate that must not be trusted.
import { rootCertificates } from 'node:tls'
import { deploy } from '../support/deployment.mjs'
import { refusal } from '../support/refusals.mjs'
import { certificateFor } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('an authority that only has the name of the trusted one', () => {
  const { ca } = certificateFor(['localhost'])
  return refusal(app, { ssl: { ca } }, {
    name: 'ConnectionError',
    code: 'CERT_SIGNATURE_FAILURE',
    message: /certificate of localhost:\d+ was refused/,
    hint: /PGSSLROOTCERT/,
  })
})

test('an authority that nobody trusts', () =>
  refusal(app, { ssl: { ca: rootCertificates[0] } }, {
    name: 'ConnectionError',
    code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    message: /certificate of localhost:\d+ was refused/,
    hint: /PGSSLROOTCERT/,
  }))

test('another name than the one connected to', () =>
  refusal(app, { ssl: { ca: app.emulator.ca, servername: 'other.example.com' } }, {
    name: 'ConnectionError',
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
    message: /not for other\.example\.com, only for .*localhost/,
    hint: /check PGHOST/,
  }))
