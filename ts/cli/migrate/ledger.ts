/** The table that tells which migrations a database has: Drizzle's own for Drizzle's folders, so that either can go on after the other. */

import type { PoolClient } from '../../pool/pool.js'
import { escapeIdentifier } from '../../escape.js'
import { exitCodes, Failure } from '../failure.js'
import type { Format, Migration } from './folder.js'

export interface Ledger {
  /** For messages: `drizzle.__drizzle_migrations`. */
  name: string
  /** Makes the table where it is not there. */
  prepare(client: PoolClient): Promise<void>
  /** Those of `migrations` that the database does not have, in order. Throws a `Failure` where one that it has is another by now. */
  pending(client: PoolClient, migrations: readonly Migration[]): Promise<Migration[]>
  /** Records that a migration was applied, in the transaction that did. */
  record(client: PoolClient, migration: Migration): Promise<void>
}

export function ledgerOf(format: Format): Ledger {
  if (format === 'sql') return sqlLedger
  return format === 'drizzle-journal' ? drizzleJournalLedger : drizzleFoldersLedger
}

/** In the session's first schema; its own name is its only contract with the user. */
const SQL_TABLE = 'lakebase_migrations'

const sqlLedger: Ledger = {
  name: SQL_TABLE,
  async prepare(client) {
    await client.query(`create table if not exists ${SQL_TABLE} (name text primary key, hash text not null, applied_at timestamptz not null default now())`)
  },
  async pending(client, migrations) {
    const { rows } = await client.query<{ name: string; hash: string }>(`select name, hash from ${SQL_TABLE}`)
    const applied = new Map(rows.map(({ name, hash }) => [name, hash]))
    const changed = migrations.filter(({ name, hash }) => applied.has(name) && applied.get(name) !== hash)
    if (changed.length > 0) {
      throw new Failure(`${changed.map(({ file }) => file).join(', ')} changed after it was applied`, {
        code: 'MIGRATION_CHANGED',
        hint: 'put the file back as it was, and write the change as a new migration',
      })
    }
    return migrations.filter(({ name }) => !applied.has(name))
  },
  async record(client, { name, hash }) {
    await client.query(`insert into ${SQL_TABLE} (name, hash) values ($1, $2)`, [name, hash])
  },
}

const DRIZZLE_SCHEMA = 'drizzle'
const DRIZZLE_TABLE = `${escapeIdentifier(DRIZZLE_SCHEMA)}.${escapeIdentifier('__drizzle_migrations')}`
const DRIZZLE_NAME = 'drizzle.__drizzle_migrations'

/** As drizzle-orm 0.45 has it: `pg-core/dialect`. It applies what is newer than the newest that was applied. */
const drizzleJournalLedger: Ledger = {
  name: DRIZZLE_NAME,
  async prepare(client) {
    await client.query(`create schema if not exists ${escapeIdentifier(DRIZZLE_SCHEMA)}`)
    await client.query(`create table if not exists ${DRIZZLE_TABLE} (id serial primary key, hash text not null, created_at bigint)`)
  },
  async pending(client, migrations) {
    const { rows } = await client.query<{ created_at: string }>(`select created_at from ${DRIZZLE_TABLE} order by created_at desc limit 1`)
    return migrations.filter(({ when }) => rows.length === 0 || Number(rows[0]!.created_at) < when)
  },
  async record(client, { hash, when }) {
    await client.query(`insert into ${DRIZZLE_TABLE} (hash, created_at) values ($1, $2)`, [hash, when])
  },
}

/** As drizzle-orm 1.0 has it: `pg-core/async/session`. It applies those whose names it does not know. */
const drizzleFoldersLedger: Ledger = {
  name: DRIZZLE_NAME,
  async prepare(client) {
    await client.query(`create schema if not exists ${escapeIdentifier(DRIZZLE_SCHEMA)}`)
    await client.query(
      `create table if not exists ${DRIZZLE_TABLE} (id serial primary key, hash text not null, created_at bigint, name text, applied_at timestamptz default now())`,
    )
    const { rows } = await client.query(
      "select from information_schema.columns where table_schema = 'drizzle' and table_name = '__drizzle_migrations' and column_name = 'name'",
    )
    if (rows.length > 0) return
    throw new Failure(`${DRIZZLE_NAME} is of an older drizzle-orm`, {
      code: 'OLD_LEDGER',
      exitCode: exitCodes.failure,
      hint: 'let drizzle-orm 1.0 migrate once (lakebase exec -- npx drizzle-kit migrate): it changes the table',
    })
  },
  async pending(client, migrations) {
    const { rows } = await client.query<{ name: string }>(`select name from ${DRIZZLE_TABLE}`)
    const applied = new Set(rows.map(({ name }) => name))
    return migrations.filter(({ name }) => !applied.has(name))
  },
  async record(client, { hash, when, name }) {
    await client.query(`insert into ${DRIZZLE_TABLE} (hash, created_at, name) values ($1, $2, $3)`, [hash, when, name])
  },
}
