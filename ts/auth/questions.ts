/** Answers what ways to authenticate ask for: tokens of the caller's functions, variables as they are now. Shows their warnings. */

import { environment, onQuestion } from '../environment.js'
import { keepError } from '../errors.js'
import type { AskEvent, TokenNews } from '../events.js'
import { functionOf } from './functions.js'

/** A workspace token, as an `authProvider` gives it. */
export interface WorkspaceToken {
  /** Sent to the workspace as a bearer token. Secret. */
  token: string
  /** When it ends: a `Date` or milliseconds since 1970. Without it, a JSON Web Token tells itself; any other counts as good until the workspace refuses it. */
  expiresAt?: Date | number | undefined
}

/** Gives workspace tokens. Called once for each token, however many pools and callers wait for it. */
export type AuthProvider = () => WorkspaceToken | Promise<WorkspaceToken>

/** Gives an identity provider's JSON Web Token for `audience`, to be exchanged for a workspace token. Called before every exchange. */
export type OidcToken = (audience: string) => string | undefined | Promise<string | undefined>

/** A pool's listener of the tokens that are fetched for it, and of where the workspace says that it is. */
type PoolListener = (event: TokenNews) => void

const pools = new Map<number, PoolListener>()
const warned = new Set<string>()
const MAX_WARNINGS = 100

/** Tells `listener` of every token that is fetched for a pool (`fetched`), and what was looked up for it (`located`). */
export function onPoolNews(pool: number, listener: PoolListener): void {
  pools.set(pool, listener)
}

export function offPoolNews(pool: number): void {
  pools.delete(pool)
}

onQuestion((event) => {
  if (event.event === 'warning') warn(event.message)
  else if ('pool' in event) pools.get(event.pool)?.(event)
  else answer(event)
})

/** Each warning is shown once per process. */
export function warn(message: string): void {
  if (warned.has(message) || warned.size >= MAX_WARNINGS) return
  warned.add(message)
  process.emitWarning(message, { type: 'LakebaseWarning' })
}

function answer(event: AskEvent): void {
  const { question } = event
  Promise.resolve()
    .then(() => find(event))
    .then(
      (text) => environment.answer(question, text ?? null, null),
      (error: unknown) => environment.answer(question, null, keepError(error)),
    )
}

async function find(event: AskEvent): Promise<string | undefined> {
  if (event.event === 'askVariable') return variable(event.name)
  const asked = functionOf(Number(event.function))
  if (!asked) return undefined
  if (event.event === 'askIdToken') {
    const token = await (asked as OidcToken)(event.audience)
    return typeof token === 'string' ? token : undefined
  }
  const { token, expiresAt } = ((await (asked as AuthProvider)()) ?? {}) as Partial<WorkspaceToken>
  return JSON.stringify({ token, expiresAt: expiresAt instanceof Date ? expiresAt.getTime() : expiresAt })
}

/** Vercel's runtime keeps the request that is being served; its header holds the token where the variable does not. */
function variable(name: string): string | undefined {
  if (name !== 'VERCEL_OIDC_TOKEN') return process.env[name]
  const context = (globalThis as { [key: symbol]: { get?: () => { headers?: Record<string, string> } | undefined } | undefined })[
    Symbol.for('@vercel/request-context')
  ]
  return context?.get?.()?.headers?.['x-vercel-oidc-token'] ?? process.env[name]
}
