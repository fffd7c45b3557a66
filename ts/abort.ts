/** Queries that an `AbortSignal` ends: the server cancels them, and their connection goes on. */

import type { Query, QuerySettings } from './query.js'

/** The error of a query whose signal was aborted, as Node.js' own functions have it; `cause` is the signal's reason. */
export class AbortError extends Error {
  override name = 'AbortError'
  readonly code = 'ABORT_ERR'

  constructor(signal: AbortSignal) {
    super('The query was aborted', { cause: signal.reason })
  }
}

/** The signal of a query, if it was given one. */
export function signalOf(config: unknown): AbortSignal | undefined {
  const signal = typeof config === 'object' && config !== null ? (config as QuerySettings).signal : undefined
  if (signal === undefined || signal === null) return undefined
  if (typeof signal.addEventListener !== 'function') throw new TypeError('signal must be an AbortSignal')
  return signal
}

/** What a query's connection can do about it. */
export interface Abortable {
  /** It is running on the server. */
  isActive(): boolean
  /** Takes it from the queue, and fails it. */
  withdraw(error: Error): void
  /** Has the server cancel what runs. Until the promise is settled nothing else is sent: the server might cancel that. */
  cancel(): Promise<void>
  /** Closes the connection at once. */
  sever(): void
}

/** After so long without an answer of the server's to the request, or an end of the query, the connection is closed. */
export const CANCEL_MILLIS = 5_000

/** SQLSTATE of a statement that the server has cancelled. */
const QUERY_CANCELED = '57014'

/**
 * Ends `query` when `signal` is aborted. Its answer comes when the connection is whole again: the server's error if that is another one, its
 * result if it was done before the request reached the server, and otherwise an `AbortError`.
 */
export function endWith(signal: AbortSignal, query: Query, connection: Abortable): void {
  const answer = query.callback
  let cancelled: Promise<void> | undefined
  let late: NodeJS.Timeout | undefined
  let isLost = false
  const abort = (): void => {
    if (!connection.isActive()) return connection.withdraw(new AbortError(signal))
    cancelled = new Promise((resolve) => {
      const lose = (): void => {
        isLost = true
        connection.sever()
        resolve()
      }
      late = setTimeout(lose, CANCEL_MILLIS)
      connection.cancel().then(resolve, lose)
    })
  }
  query.callback = (error, result) => {
    signal.removeEventListener('abort', abort)
    if (!cancelled) return answer?.(error, result)
    void cancelled.then(() => {
      clearTimeout(late)
      const isAborted = error && (isLost || (error as { code?: string }).code === QUERY_CANCELED)
      answer?.(isAborted ? new AbortError(signal) : error, result)
    })
  }
  signal.addEventListener('abort', abort)
}
