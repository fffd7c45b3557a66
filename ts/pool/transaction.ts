/** `pool.transaction()`: everything or nothing. */

import { ConnectionError } from '../errors.js'
import { native } from '../native.js'
import type { Pool, PoolClient } from './pool.js'

/** PostgreSQL's transaction modes; what is not given is the session's default. */
export interface TransactionOptions {
  isolationLevel?: 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable'
  readOnly?: boolean
  /** With `serializable` and `readOnly`: waits for a snapshot that needs no checks. */
  deferrable?: boolean
}

const levels = ['read uncommitted', 'read committed', 'repeatable read', 'serializable']

function begin({ isolationLevel, readOnly, deferrable }: TransactionOptions): string {
  if (isolationLevel !== undefined && !levels.includes(isolationLevel)) {
    throw new TypeError(`isolationLevel is ${JSON.stringify(isolationLevel)}: expected one of ${levels.join(', ')}`)
  }
  const modes = [
    isolationLevel && `isolation level ${isolationLevel}`,
    readOnly !== undefined && (readOnly ? 'read only' : 'read write'),
    deferrable !== undefined && (deferrable ? 'deferrable' : 'not deferrable'),
  ].filter(Boolean)
  return ['begin', modes.join(', ')].join(' ').trim()
}

const leftOpen = 'the transaction was rolled back: a stream or cursor in it was neither read to its end nor closed'

export async function runTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
  const client = await begun(pool, begin(options))
  // Given back in the middle, it would be another caller's while it is still ours.
  const { release } = client
  client.release = refuseToRelease
  let broken: Error | undefined
  // While we hold it, a lost connection shows as the error of the next query.
  const note = (error: Error): void => void (broken = error)
  client.on('error', note)
  try {
    const result = await work(client)
    if (client._isOpenEnded || client._streaming) throw new Error(leftOpen)
    const { command } = await client.query('commit')
    // COMMIT of a transaction that a swallowed error has aborted is a ROLLBACK.
    if (command === 'ROLLBACK') throw new Error('the transaction was rolled back: a query in it failed and its error was not rethrown')
    return result
  } catch (error) {
    // Nothing gets past what is left open, a ROLLBACK neither: the connection's end is one.
    if (client._isOpenEnded || client._streaming) broken ??= error as Error
    if (!broken && client.getTransactionStatus() !== 'I') {
      await client.query('rollback').catch((failure: Error) => void (broken = failure))
    }
    throw error
  } finally {
    client.off('error', note)
    client.release = release
    release(broken)
  }
}

function refuseToRelease(): never {
  throw new Error('pool.transaction() gives its client back itself')
}

/** A client in a transaction. A connection that dies under BEGIN has done nothing yet: another is tried. */
async function begun(pool: Pool, start: string): Promise<PoolClient> {
  for (let tries = 1; ; tries++) {
    const client = await pool.connect()
    const ignore = (): void => {}
    client.on('error', ignore)
    try {
      await client.query(start)
      return client
    } catch (error) {
      client.release(error as Error)
      if (tries === native.MAX_PREPARATIONS || (client._queryable && !isLost(error))) throw error
    } finally {
      client.off('error', ignore)
    }
  }
}

/** The connection is gone, or its server is going. */
function isLost(error: unknown): boolean {
  return error instanceof ConnectionError || ['57P01', '57P02', '57P03'].includes((error as { code?: string }).code ?? '')
}
