/** Variables that log other programs in: libpq's, node-postgres', Prisma's, drizzle-kit's. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { rootCertificates } from 'node:tls'
import { getDatabaseUrl } from '../credential.js'
import type { LakebasePoolOptions } from '../lakebase-options.js'

export interface LoginVariables {
  /** `DATABASE_URL` and `PG*`. Secret: they hold a password. */
  variables: Record<string, string>
  /** Removes what was made for them. */
  end(): void
}

/** Where systems keep the certificates of public authorities in one file, which libpq of any version can read. */
const BUNDLES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/** A fresh login with these options and the environment. */
export async function loginVariables(options: LakebasePoolOptions): Promise<LoginVariables> {
  const databaseUrl = await getDatabaseUrl(options)
  const url = new URL(databaseUrl)
  const sslMode = url.searchParams.get('sslmode') ?? 'prefer'
  const authorities = sslMode === 'disable' || process.env['PGSSLROOTCERT'] ? undefined : trustedAuthorities()
  const host = url.searchParams.get('host') ?? url.hostname.replace(/^\[|\]$/g, '')
  const variables = {
    DATABASE_URL: databaseUrl,
    PGHOST: decodeURIComponent(host),
    PGPORT: url.port || '5432',
    PGUSER: decodeURIComponent(url.username),
    PGDATABASE: decodeURIComponent(url.pathname.slice(1)),
    PGPASSWORD: decodeURIComponent(url.password),
    PGSSLMODE: sslMode,
    ...(authorities && { PGSSLROOTCERT: authorities.file }),
  }
  return { variables, end: () => authorities?.end() }
}

interface Authorities {
  file: string
  end(): void
}

/** libpq trusts nobody unless it is told whom; `system`, which would do, is of libpq 16. */
function trustedAuthorities(): Authorities {
  const extra = [process.env['NODE_EXTRA_CA_CERTS'], process.env['SSL_CERT_FILE']].filter((file) => file && existsSync(file)) as string[]
  const bundle = BUNDLES.find((file) => existsSync(file))
  if (bundle && extra.length === 0) return { file: bundle, end: () => {} }
  const directory = mkdtempSync(join(tmpdir(), 'lakebase-'))
  const file = join(directory, 'authorities.pem')
  writeFileSync(file, [...extra.map((path) => readFileSync(path, 'utf8')), ...rootCertificates].join('\n'))
  return { file, end: () => rmSync(directory, { recursive: true, force: true }) }
}
