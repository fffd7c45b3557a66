/** Issues and checks both kinds of token: access tokens for the workspace API and credentials for the database. */

import { randomBytes, randomUUID } from 'node:crypto'
import type { Clock } from './clock.js'

/** Somebody who can call the workspace API and log in to PostgreSQL. */
export interface Identity {
  kind: 'user' | 'service-principal'
  /** A user's e-mail address or a service principal's application id; also the name of the PostgreSQL role. */
  name: string
  /** Number in SCIM answers. */
  id: string
}

export interface IssuedToken {
  token: string
  /** Milliseconds since the epoch, by the emulator's clock. */
  expiresAt: number
}

export type TokenKind = 'access' | 'database'

/** A token that was issued, without its value. */
export interface Issued {
  kind: TokenKind
  /** Whose it is: a user's e-mail address or a service principal's application id. */
  identity: string
  /** Endpoints and instances that a database credential is for. */
  scope: readonly string[]
  /** Milliseconds since the epoch, by the emulator's clock. */
  issuedAt: number
  expiresAt: number
}

/** Why a database login was refused. Never sent to the client, who gets the same answer for all of them, as in PostgreSQL. */
export type LoginRefusal = 'unknown token' | 'expired token' | 'token for another endpoint' | 'token of another identity'

interface Entry {
  kind: TokenKind
  identity: Identity
  /** Endpoints and instances that the credential is for. Empty for access tokens. */
  scope: readonly string[]
  expiresAt: number
}

export class TokenStore {
  private readonly entries = new Map<string, Entry>()

  constructor(
    private readonly clock: Clock,
    private readonly onIssue: (issued: Issued) => void = () => {},
  ) {}

  issueAccess(identity: Identity, lifetimeMillis: number): IssuedToken {
    return this.issue({ kind: 'access', identity, scope: [], expiresAt: this.clock.now() + lifetimeMillis })
  }

  issueDatabase(identity: Identity, scope: readonly string[], lifetimeMillis: number): IssuedToken {
    return this.issue({ kind: 'database', identity, scope, expiresAt: this.clock.now() + lifetimeMillis })
  }

  /** A personal access token: chosen by the caller, never expires. */
  accept(token: string, identity: Identity): void {
    this.entries.set(token, { kind: 'access', identity, scope: [], expiresAt: Number.POSITIVE_INFINITY })
  }

  /** Who an API caller is. Undefined for an unknown, revoked or expired token. */
  caller(token: string): Identity | undefined {
    const entry = this.entries.get(token)
    return entry?.kind === 'access' && entry.expiresAt > this.clock.now() ? entry.identity : undefined
  }

  /** Undefined when `user` may log in with the token to one of `endpoints`, else the reason why not. */
  refusal(token: string, user: string, endpoints: readonly string[]): LoginRefusal | undefined {
    const entry = this.entries.get(token)
    if (entry?.kind !== 'database') return 'unknown token'
    if (entry.expiresAt <= this.clock.now()) return 'expired token'
    if (!entry.scope.some((name) => endpoints.includes(name))) return 'token for another endpoint'
    return entry.identity.name === user ? undefined : 'token of another identity'
  }

  /** Forgets every token of a kind, except personal access tokens. Returns how many. */
  revoke(kind: TokenKind): number {
    let count = 0
    for (const [token, entry] of this.entries) {
      if (entry.kind !== kind || entry.expiresAt === Number.POSITIVE_INFINITY) continue
      this.entries.delete(token)
      count++
    }
    return count
  }

  private issue(entry: Entry): IssuedToken {
    const { kind, identity, scope, expiresAt } = entry
    const issuedAt = this.clock.now()
    const token = jwt(identity.name, issuedAt, expiresAt)
    this.entries.set(token, entry)
    this.onIssue({ kind, identity: identity.name, scope, issuedAt, expiresAt })
    return { token, expiresAt: entry.expiresAt }
  }
}

/** Looks like the real ones, which are about a kilobyte long; the signature is random, because the store knows what it issued. */
function jwt(subject: string, issuedAt: number, expiresAt: number): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const header = encode({ alg: 'RS256', typ: 'JWT', kid: 'lakebase-native-emulator' })
  const payload = encode({
    sub: subject,
    iat: Math.floor(issuedAt / 1000),
    exp: Math.floor(expiresAt / 1000),
    jti: randomUUID(),
    scope: 'all-apis',
  })
  return `${header}.${payload}.${randomBytes(512).toString('base64url')}`
}
