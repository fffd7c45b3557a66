/** Connection strings as node-postgres reads them: URLs, Unix sockets, and the query parameters that are options. */

import { readFileSync } from 'node:fs'

/** What a string says; options it does not mention are missing. */
export type StringSettings = Record<string, any>

/** Stands for "verify the chain, not the name", as libpq's `verify-ca` and `require` with a root certificate mean. */
export const nameUnchecked = (): undefined => undefined

/** Reads a connection string. What is malformed throws, without repeating the text: it may hold a password. */
export function parseConnectionString(text: string): StringSettings {
  if (text.startsWith('/')) {
    const [host, database] = text.split(' ')
    return { host, database }
  }
  const { url, hostless } = parseUrl(text)
  // Without a prototype: `__proto__` is a parameter like any other.
  const settings: StringSettings = Object.create(null) as StringSettings
  for (const [name, value] of url.searchParams) settings[name] = value
  settings.user ||= decodeURIComponent(url.username)
  settings.password ||= decodeURIComponent(url.password)
  if (url.protocol === 'socket:') {
    settings.host = decodeURI(url.pathname)
    settings.database = url.searchParams.get('db')
    settings.client_encoding = url.searchParams.get('encoding')
    return settings
  }
  readAddress(settings, url, hostless)
  readSsl(settings)
  return settings
}

function parseUrl(text: string): { url: URL; hostless: boolean } {
  // A blank or a stray % means that somebody wrote the parts unescaped; escapes that are there stay.
  const escaped = / |%[^a-f0-9]|%[a-f0-9][^a-f0-9]/i.test(text) ? encodeURI(text).replace(/%25(\d\d)/g, '%$1') : text
  try {
    return { url: new URL(escaped, 'postgres://base'), hostless: false }
  } catch {
    try {
      // `user@/database`: a URL must have a host behind its user.
      return { url: new URL(escaped.replace('@/', '@___DUMMY___/'), 'postgres://base'), hostless: true }
    } catch (error) {
      if ((error as { input?: string }).input) (error as { input?: string }).input = '*****REDACTED*****'
      throw error
    }
  }
}

function readAddress(settings: StringSettings, url: URL, hostless: boolean): void {
  const host = hostless ? '' : url.hostname.replace(/^\[(.+)\]$/, '$1')
  let { pathname } = url
  if (!settings.host) {
    settings.host = decodeURIComponent(host)
  } else if (host && /^%2f/i.test(host)) {
    url.pathname = host + pathname
    pathname = url.pathname
  }
  settings.port ||= url.port
  const database = pathname.slice(1)
  settings.database = database ? decodeURI(database) : null
}

function readSsl(settings: StringSettings): void {
  if (settings.ssl === 'true' || settings.ssl === '1') settings.ssl = true
  if (settings.ssl === '0') settings.ssl = false
  const { sslcert, sslkey, sslrootcert, sslmode } = settings as Record<string, string | undefined>
  if (sslcert || sslkey || sslrootcert || sslmode) settings.ssl = {}
  if (settings.sslnegotiation === 'direct' && settings.ssl === undefined) settings.ssl = true
  if (sslcert) settings.ssl.cert = readFileSync(sslcert).toString()
  if (sslkey) settings.ssl.key = readFileSync(sslkey).toString()
  if (sslrootcert) settings.ssl.ca = readFileSync(sslrootcert).toString()
  if (sslmode) readMode(settings, sslmode, settings.uselibpqcompat === 'true')
}

function readMode(settings: StringSettings, mode: string, likeLibpq: boolean): void {
  if (mode === 'disable') {
    settings.ssl = false
  } else if (!likeLibpq) {
    if (mode === 'no-verify') settings.ssl.rejectUnauthorized = false
    else if (mode === 'prefer' || mode === 'require' || mode === 'verify-ca') warnOfMode(mode)
  } else if (mode === 'prefer' || (mode === 'require' && !settings.sslrootcert)) {
    settings.ssl.rejectUnauthorized = false
  } else if (mode === 'require') {
    settings.ssl.checkServerIdentity = nameUnchecked
  } else if (mode === 'verify-ca') {
    if (!settings.ssl.ca) {
      throw new Error(
        'SECURITY WARNING: Using sslmode=verify-ca requires specifying a CA with sslrootcert. If a public CA is used, verify-ca allows connections to a server that somebody else may have registered with the CA, making you vulnerable to Man-in-the-Middle attacks. Either specify a custom CA certificate with sslrootcert parameter or use sslmode=verify-full for proper security.',
      )
    }
    settings.ssl.checkServerIdentity = nameUnchecked
  }
}

let warned = false

function warnOfMode(mode: string): void {
  if (warned) return
  warned = true
  process.emitWarning(`SECURITY WARNING: The SSL modes 'prefer', 'require', and 'verify-ca' are treated as aliases for 'verify-full'.
In the next major version (pg-connection-string v3.0.0 and pg v9.0.0), these modes will adopt standard libpq semantics, which have weaker security guarantees.

To prepare for this change:
- If you want the current behavior, explicitly use 'sslmode=verify-full'
- If you want libpq compatibility now, use 'uselibpqcompat=true&sslmode=${mode}'

See https://www.postgresql.org/docs/current/libpq-ssl.html for libpq SSL mode definitions.`)
}
