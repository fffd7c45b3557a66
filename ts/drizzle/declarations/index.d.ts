/**
 * `lakebase-native/drizzle`. Written by hand, for drizzle-orm 0.45 and 1.0: what the installed version does not export is `any` here, which
 * tells them apart. The build puts it beside both the CommonJS and the ES module, since drizzle-orm has a set of types for each.
 */

import type { DrizzleConfig, entityKind, ExtractTablesWithRelations } from 'drizzle-orm'
import type { BatchItem, BatchResponse } from 'drizzle-orm/batch'
import type { PgQueryResultHKT } from 'drizzle-orm/pg-core'
// @ts-ignore: drizzle-orm 0.45
import type { PgDatabase, PgTransaction } from 'drizzle-orm/pg-core'
// @ts-ignore: drizzle-orm 1.0
import type { DrizzlePgConfig, PgAsyncDatabase, PgAsyncTransaction } from 'drizzle-orm/pg-core'
// @ts-ignore: drizzle-orm 1.0
import type { AnyRelations, EmptyRelations } from 'drizzle-orm/relations'
import type { Client, LakebasePool, LakebasePoolOptions, Pool, PoolClient, QueryResult, QueryResultRow } from '../../index.js'

/** Whether drizzle-orm is 1.0: only of `any`, every symbol is a key. */
type Version1 = symbol extends keyof AnyRelations ? false : true

/** What a database knows of the app's tables: its `schema` with drizzle-orm 0.45, its `relations` with 1.0. */
export type AnySchema = Version1 extends true ? AnyRelations : Record<string, unknown>
type NoSchema = Version1 extends true ? EmptyRelations : Record<string, never>
type Config<TSchema extends AnySchema> = Version1 extends true ? DrizzlePgConfig<TSchema> : DrizzleConfig<TSchema>

/** A pool, a client checked out of one, or a client of its own. */
export type LakebaseClient = Pool | PoolClient | Client

/** What `db.execute()` and statements without `returning()` resolve to: node-postgres' result. */
export interface LakebaseQueryResultHKT extends PgQueryResultHKT {
  type: [this['row']] extends [never]
    ? QueryResult<never>
    : [this['row']] extends ['unknown']
      ? LakebaseRawExecuteResult
      : QueryResult<this['row'] extends QueryResultRow ? this['row'] : QueryResultRow>
}

/** Several results for a text of several statements. */
export type LakebaseRawExecuteResult = QueryResult<Record<string, unknown>> | QueryResult<Record<string, unknown>>[]

/** The queries of a batch run in one transaction, one after another; when one fails, none of them has happened. */
export interface Batching {
  batch<U extends BatchItem<'pg'>, T extends Readonly<[U, ...U[]]>>(batch: T): Promise<BatchResponse<T>>
}

/** Drizzle's database; `is(db, LakebaseDatabase)` knows it. */
export type LakebaseDatabase<TSchema extends AnySchema = NoSchema> = Batching &
  (Version1 extends true ? PgAsyncDatabase<LakebaseQueryResultHKT, TSchema> : PgDatabase<LakebaseQueryResultHKT, TSchema>)
export declare const LakebaseDatabase: Entity<LakebaseDatabase<any>>

/** What `db.transaction()` passes on. */
export type LakebaseTransaction<
  TSchema extends AnySchema = NoSchema,
  TTables extends ExtractTablesWithRelations<any> = Version1 extends true ? any : ExtractTablesWithRelations<TSchema>,
> = Version1 extends true
  ? PgAsyncTransaction<LakebaseQueryResultHKT, TSchema>
  : PgTransaction<LakebaseQueryResultHKT, TSchema, TTables>
export declare const LakebaseTransaction: Entity<LakebaseTransaction<any, any>>

/** A class of Drizzle's, which nobody constructs but `drizzle()`. */
interface Entity<T> {
  new (...parameters: never): T
  readonly prototype: T
  readonly [entityKind]: string
}

/**
 * A Drizzle database on Lakebase: `drizzle()` on a pool with settings from the environment, as `createLakebasePool()` has them;
 * `drizzle({ connection })` on a pool with these options, or this connection string; `drizzle(client)` and `drizzle({ client })` on an
 * existing pool or client. Drizzle's own configuration (`schema` or `relations`, `logger`, `casing`, `cache`, …) goes beside them.
 *
 * The client is `db.$client`: end it with `await db.$client.end()`. Throws a `ConfigurationError` that lists every problem of the options;
 * connects when first used.
 */
export declare function drizzle<TSchema extends AnySchema = NoSchema, TClient extends LakebaseClient = LakebasePool>(
  ...params:
    | []
    | [client: TClient | string]
    | [client: TClient | string, config: Config<TSchema>]
    | [config: Config<TSchema> & ({ client: TClient } | { connection?: string | LakebasePoolOptions })]
): LakebaseDatabase<TSchema> & { $client: LakebaseClient extends TClient ? LakebasePool : TClient }

export declare namespace drizzle {
  /** A database without a connection, to build queries with. */
  function mock<TSchema extends AnySchema = NoSchema>(
    config?: Config<TSchema>,
  ): LakebaseDatabase<TSchema> & { $client: '$client is not available on drizzle.mock()' }
}
