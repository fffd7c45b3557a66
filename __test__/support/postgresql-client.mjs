// psql and pg_dump of Debian's package, as new as the emulator's PostgreSQL: pg_dump refuses servers that are newer than itself.
import { debianPackages, programIn } from './debian-package.mjs'

const PACKAGES = ['postgresql-client-18', 'libpq5', 'libc6', 'libldap2', 'libsasl2-2', 'libgssapi-krb5-2', 'libkrb5-3', 'libk5crypto3', 'libkrb5support0', 'libcom-err2', 'libkeyutils1', 'libssl3t64', 'libreadline8t64', 'libtinfo6', 'zlib1g', 'liblz4-1', 'libzstd1']

/** What starts `psql`, `pg_dump` or another: program and first arguments. */
export async function postgresqlClient(name) {
  return programIn(await debianPackages('forky', PACKAGES), `usr/lib/postgresql/18/bin/${name}`)
}
