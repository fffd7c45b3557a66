/** What a Drizzle database sends its queries to, and one connection of it for a transaction. */

import { Client } from '../client.js'
import { ConnectionError } from '../errors.js'
import { createLakebasePool, type LakebasePool } from '../lakebase.js'
import type { LakebasePoolOptions } from '../lakebase-options.js'
import type { QueryResult } from '../interfaces/query.js'
import { Pool, type PoolClient } from '../pool/pool.js'
import type { QuerySettings } from '../query.js'
import { drizzleTypes } from './values.js'

/** A pool, a client checked out of one, or a client of its own. */
export type LakebaseClient = Pool | PoolClient | Client

/** What `drizzle()` is given, besides Drizzle's own configuration. */
export interface ClientConfig {
  client?: LakebaseClient
  connection?: string | LakebasePoolOptions
}

type Arguments<Config> = [] | [LakebaseClient | string] | [LakebaseClient | string, Config?] | [Config & ClientConfig]

/** The client to use and what is left for Drizzle. Without a client or a connection, a pool with settings from the environment. */
export function readArguments<Config extends object>(args: Arguments<Config>): { client: LakebaseClient; config: Config } {
  const [first, second] = args as [(LakebaseClient | string | (Config & ClientConfig))?, Config?]
  if (typeof first === 'string') return { client: open(first), config: second ?? ({} as Config) }
  if (isClient(first)) return { client: first, config: second ?? ({} as Config) }
  const { client, connection, ...config } = first ?? ({} as Config & ClientConfig)
  return { client: client ?? open(connection), config: config as Config }
}

function open(connection: string | LakebasePoolOptions | undefined): LakebasePool {
  return createLakebasePool(typeof connection === 'string' ? { connectionString: connection } : connection)
}

function isClient(value: unknown): value is LakebaseClient {
  return typeof (value as { query?: unknown } | undefined)?.query === 'function'
}

/** Runs a query; named, it is a prepared statement. */
export function send(client: LakebaseClient, { name, text, rowMode }: QuerySettings, params: unknown[]): Promise<QueryResult> {
  const config: QuerySettings = { name, text, rowMode, types: drizzleTypes }
  return client.query(config as { text: string }, params)
}

/**
 * Pools count their connections, node-postgres' too; clients do not. The class alone does not tell: a bundle may hold the package twice, and
 * minified classes have other names.
 */
function isPool(client: LakebaseClient): client is Pool {
  return client instanceof Pool || (!(client instanceof Client) && typeof (client as { totalCount?: unknown }).totalCount === 'number')
}

/** How many connections may turn out to be lost under BEGIN, one after another, before that is the caller's error. */
const MAX_BEGINS = 5

/** A connection in a transaction, as Drizzle sees it. */
interface Steps<Transaction> {
  /** Drizzle's transaction on a connection. */
  on(connection: LakebaseClient): Transaction
  begin(transaction: Transaction): Promise<unknown>
  commit(transaction: Transaction): Promise<unknown>
  rollback(transaction: Transaction): Promise<unknown>
}

/**
 * Runs `work` between BEGIN and COMMIT, on one connection when `client` is a pool; after an error, ROLLBACK instead, and the error is thrown.
 * A connection that is lost under BEGIN has done nothing yet: another is tried. One that cannot roll back is closed.
 */
export async function transact<Transaction, T>(
  client: LakebaseClient,
  steps: Steps<Transaction>,
  work: (transaction: Transaction) => Promise<T>,
): Promise<T> {
  if (!isPool(client)) {
    const transaction = steps.on(client)
    await steps.begin(transaction)
    return finish(steps, transaction, work, () => {})
  }
  const { connection, transaction } = await begun(client, steps)
  let broken: Error | undefined
  // While it is held, a lost connection shows as the error of the next query.
  const note = (error: Error): void => void (broken ??= error)
  connection.on('error', note)
  try {
    return await finish(steps, transaction, work, note, () => broken !== undefined)
  } finally {
    connection.off('error', note)
    connection.release(broken)
  }
}

async function finish<Transaction, T>(
  steps: Steps<Transaction>,
  transaction: Transaction,
  work: (transaction: Transaction) => Promise<T>,
  failed: (error: Error) => void,
  isBroken = (): boolean => false,
): Promise<T> {
  try {
    const result = await work(transaction)
    await steps.commit(transaction)
    return result
  } catch (error) {
    // What went wrong is the caller's error, not that it could not be rolled back.
    if (!isBroken()) await steps.rollback(transaction).catch(failed)
    throw error
  }
}

async function begun<Transaction>(pool: Pool, steps: Steps<Transaction>): Promise<{ connection: PoolClient; transaction: Transaction }> {
  for (let tries = 1; ; tries++) {
    const connection = await pool.connect()
    const ignore = (): void => {}
    connection.on('error', ignore)
    try {
      const transaction = steps.on(connection)
      await steps.begin(transaction)
      return { connection, transaction }
    } catch (error) {
      const lost = isLost((error as Error).cause)
      connection.release(lost ? (error as Error) : undefined)
      if (!lost || tries === MAX_BEGINS) throw error
    } finally {
      connection.off('error', ignore)
    }
  }
}

/** The connection is gone, or its server is going. */
function isLost(error: unknown): boolean {
  return error instanceof ConnectionError || ['57P01', '57P02', '57P03'].includes((error as { code?: string } | undefined)?.code ?? '')
}
