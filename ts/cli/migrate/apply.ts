/** Applies migrations under a lock, so that deployments that run at the same time do so one after the other. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolClient } from '../../pool/pool.js'
import { exitCodes, Failure } from '../failure.js'
import type { Migration, MigrationFolder } from './folder.js'
import { ledgerOf } from './ledger.js'

export interface Applied {
  name: string
  millis: number
}

export interface Progress {
  /** Somebody else holds the lock. Called once. */
  waiting(): void
  applied(applied: Applied): void
}

/** A number of this package's own among the database's advisory locks. */
const LOCK = "hashtextextended('lakebase-native migrate', 0)"

const LOOK_MILLIS = 500

/** A file with this as its first line runs outside a transaction: CREATE INDEX CONCURRENTLY, for one. */
const NO_TRANSACTION = /^\s*--\s*no-transaction\b/

/**
 * Applies what is pending and returns it, with `dryRun` without applying it. Plain SQL has a transaction for each file, Drizzle's folders have one
 * for all, as Drizzle does it.
 *
 * Throws a `Failure` where the lock is not free within `waitMillis`, or where a migration failed: it names file and line.
 */
export async function applyMigrations(
  client: PoolClient,
  { format, migrations }: MigrationFolder,
  { waitMillis, dryRun, progress }: { waitMillis: number; dryRun: boolean; progress: Progress },
): Promise<Applied[]> {
  await lock(client, waitMillis, progress)
  try {
    const ledger = ledgerOf(format)
    if (dryRun) await client.query('begin')
    await ledger.prepare(client)
    const pending = await ledger.pending(client, migrations)
    if (dryRun) {
      await client.query('rollback')
      return pending.map(({ name }) => ({ name, millis: 0 }))
    }
    const groups = format === 'sql' ? pending.map((migration) => [migration]) : [pending]
    const applied: Applied[] = []
    for (const group of groups) applied.push(...(await applyGroup(client, group, (migration) => ledger.record(client, migration), progress)))
    return applied
  } finally {
    // With a lost connection the lock is gone, too.
    await client.query(`select pg_advisory_unlock(${LOCK})`).catch(() => {})
  }
}

/** Asks again and again: who waits inside pg_advisory_lock() holds a snapshot, which CREATE INDEX CONCURRENTLY waits for in turn. */
async function lock(client: PoolClient, waitMillis: number, progress: Progress): Promise<void> {
  const until = Date.now() + waitMillis
  for (let told = false; ; told = true) {
    const { rows } = await client.query<{ free: boolean }>(`select pg_try_advisory_lock(${LOCK}) as free`)
    if (rows[0]!.free) return
    if (!told) progress.waiting()
    if (Date.now() >= until) {
      throw new Failure('another migration holds the lock of this database', { code: 'LOCKED', hint: 'wait until it has ended, or longer with --wait <seconds>' })
    }
    await sleep(Math.min(LOOK_MILLIS, Math.max(1, until - Date.now())))
  }
}

async function applyGroup(client: PoolClient, group: readonly Migration[], record: (migration: Migration) => Promise<void>, progress: Progress): Promise<Applied[]> {
  const applied: Applied[] = []
  const outside = group.length === 1 && NO_TRANSACTION.test(group[0]!.text)
  if (!outside) await client.query('begin')
  try {
    for (const migration of group) {
      const start = performance.now()
      await runStatements(client, migration, outside)
      await record(migration)
      applied.push({ name: migration.name, millis: Math.round(performance.now() - start) })
    }
    if (!outside) await client.query('commit')
  } catch (error) {
    if (!outside) await client.query('rollback').catch(() => {})
    throw error
  }
  for (const one of applied) progress.applied(one)
  return applied
}

/** Drizzle's marks between statements are comments, and PostgreSQL takes several statements at once. */
async function runStatements(client: PoolClient, { file, text }: Migration, outside: boolean): Promise<void> {
  try {
    await client.query(text)
  } catch (error) {
    const { message, code, detail, hint, position, severity } = error as { message: string; code?: string; detail?: string; hint?: string; position?: string; severity?: string }
    if (severity === undefined) throw error
    const line = position === undefined ? '' : `:${text.slice(0, Number(position) - 1).split('\n').length}`
    throw new Failure(`${file}${line}: ${message}${detail ? `: ${detail}` : ''} (${code}); ${outside ? 'it ran outside a transaction: look at what is there' : 'nothing of it was kept'}`, {
      exitCode: exitCodes.database,
      cause: error,
      ...(code && { code }),
      ...(hint && { hint }),
    })
  }
}
