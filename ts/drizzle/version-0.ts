/** The driver for drizzle-orm 0.45. */

import {
  DefaultLogger,
  entityKind,
  fillPlaceholders,
  NoopLogger,
  sql,
  type DrizzleConfig,
  type Logger,
  type Query,
  type RelationalSchemaConfig,
  type SQL,
  type TablesRelationalConfig,
} from 'drizzle-orm'
import { NoopCache, type Cache } from 'drizzle-orm/cache/core'
import type { MigrationConfig, MigrationMeta } from 'drizzle-orm/migrator'
import type { PgDialect, PgQueryResultHKT, PgTransactionConfig, PreparedQueryConfig } from 'drizzle-orm/pg-core'
import type { QueryResult } from '../interfaces/query.js'
import { send, transact, type LakebaseClient } from './client.js'
import { core0 as core, orm0 as orm } from './orm.js'
import { mapRows, type Joins, type SelectedField } from './rows.js'

type Schema = RelationalSchemaConfig<TablesRelationalConfig> | undefined
type MapRows = (rows: unknown[][]) => unknown
type Metadata = ConstructorParameters<typeof core.PgPreparedQuery>[2]
type CacheConfig = ConstructorParameters<typeof core.PgPreparedQuery>[3]
type Values = Record<string, unknown> | undefined

interface Settings {
  logger?: Logger | undefined
  cache?: Cache | undefined
}

/** What rows become: the objects of a selection, or what a relational query makes of them. */
interface Mapping {
  fields: SelectedField[] | undefined
  mapRows: MapRows | undefined
}

/** Members that Drizzle's declarations leave out. */
interface HiddenOfPreparedQuery {
  queryWithCache<T>(text: string, params: unknown[], query: () => Promise<T>): Promise<T>
  joinsNotNullableMap: Joins
}

interface HiddenOfTransaction {
  session: LakebaseSession
  getTransactionConfigSQL(config: PgTransactionConfig): SQL
}

/** A query that `batch()` takes. */
interface BatchItem {
  _prepare(): { getQuery(): Query }
}

export class LakebasePreparedQuery<T extends PreparedQueryConfig = PreparedQueryConfig> extends core.PgPreparedQuery<T> {
  static override readonly [entityKind]: string = 'LakebasePreparedQuery'

  constructor(
    private readonly client: LakebaseClient,
    query: Query,
    private readonly name: string | undefined,
    private readonly mapping: Mapping,
    private readonly logger: Logger,
    cache: Cache,
    metadata: Metadata,
    cacheConfig: CacheConfig,
  ) {
    super(query, cache, metadata, cacheConfig)
  }

  execute(values?: Values): Promise<T['execute']> {
    return this.executeOn(this.client, values)
  }

  async executeOn(client: LakebaseClient, values?: Values): Promise<T['execute']> {
    const { fields, mapRows: map } = this.mapping
    if (!fields && !map) return this.send(client, values)
    const { rows } = await this.send(client, values, 'array')
    if (map) return map(rows)
    return mapRows(rows, fields!, (this as unknown as HiddenOfPreparedQuery).joinsNotNullableMap)
  }

  async all(values?: Values): Promise<T['all']> {
    return (await this.send(this.client, values)).rows
  }

  private async send(client: LakebaseClient, values: Values = {}, rowMode?: 'array'): Promise<QueryResult> {
    const { sql: text } = this.query
    const params = fillPlaceholders(this.query.params, values)
    this.logger.logQuery(text, params)
    const hidden = this as unknown as HiddenOfPreparedQuery
    return hidden.queryWithCache(text, params, () => send(client, { name: this.name, text, rowMode }, params))
  }

  /** @internal */
  isResponseInArrayMode(): boolean {
    return Boolean(this.mapping.fields || this.mapping.mapRows)
  }
}

export class LakebaseSession extends core.PgSession<PgQueryResultHKT, Record<string, unknown>, TablesRelationalConfig> {
  static override readonly [entityKind]: string = 'LakebaseSession'
  private readonly logger: Logger
  private readonly cache: Cache

  constructor(
    private readonly client: LakebaseClient,
    dialect: PgDialect,
    private readonly schema: Schema,
    private readonly settings: Settings = {},
  ) {
    super(dialect)
    this.logger = settings.logger ?? new NoopLogger()
    this.cache = settings.cache ?? new NoopCache()
  }

  prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig>(
    query: Query,
    fields: SelectedField[] | undefined,
    name: string | undefined,
    _isResponseInArrayMode: boolean,
    mapRows?: MapRows,
    metadata?: Metadata,
    cacheConfig?: CacheConfig,
  ): LakebasePreparedQuery<T> {
    return new LakebasePreparedQuery<T>(this.client, query, name, { fields, mapRows }, this.logger, this.cache, metadata, cacheConfig)
  }

  override transaction<T>(work: (transaction: LakebaseTransaction) => Promise<T>, config?: PgTransactionConfig): Promise<T> {
    const { client, dialect, schema, settings } = this
    return transact(
      client,
      {
        on: (connection) => {
          const session = connection === client ? this : new LakebaseSession(connection, dialect, schema, settings)
          return new LakebaseTransaction(dialect, session, schema)
        },
        begin: (transaction) => transaction.execute(sql`begin${config && sql` ${hiddenOf(transaction).getTransactionConfigSQL(config)}`}`),
        commit: (transaction) => transaction.execute(sql`commit`),
        rollback: (transaction) => transaction.execute(sql`rollback`),
      },
      work,
    )
  }

  /** Runs queries in one transaction, one after another. */
  batch(queries: readonly BatchItem[]): Promise<unknown[]> {
    return this.transaction(async (transaction) => {
      const { session } = hiddenOf(transaction)
      const results: unknown[] = []
      for (const query of queries) results.push(await session.executeItem(query))
      return results
    })
  }

  private executeItem(item: BatchItem): Promise<unknown> {
    const prepared = item._prepare()
    if (prepared instanceof LakebasePreparedQuery) return prepared.executeOn(this.client)
    // `db.execute()`
    return this.prepareQuery(prepared.getQuery(), undefined, undefined, false).execute()
  }

  override async count(query: SQL): Promise<number> {
    const { rows } = await this.execute<QueryResult<{ count: string }>>(query)
    return Number(rows[0]!.count)
  }
}

export class LakebaseTransaction extends core.PgTransaction<PgQueryResultHKT, Record<string, unknown>, TablesRelationalConfig> {
  static override readonly [entityKind]: string = 'LakebaseTransaction'

  /** A savepoint. */
  override async transaction<T>(work: (transaction: LakebaseTransaction) => Promise<T>): Promise<T> {
    const { dialect, session } = this as unknown as HiddenOfTransaction & { dialect: PgDialect }
    const name = `sp${this.nestedIndex + 1}`
    const nested = new LakebaseTransaction(dialect, session, this.schema, this.nestedIndex + 1)
    await nested.execute(sql.raw(`savepoint ${name}`))
    try {
      const result = await work(nested)
      await nested.execute(sql.raw(`release savepoint ${name}`))
      return result
    } catch (error) {
      // The caller's error, also where there is nothing left to roll back to.
      await nested.execute(sql.raw(`rollback to savepoint ${name}`)).catch(() => {})
      throw error
    }
  }
}

export class LakebaseDatabase extends core.PgDatabase<PgQueryResultHKT, Record<string, unknown>, TablesRelationalConfig> {
  static override readonly [entityKind]: string = 'LakebaseDatabase'

  batch(queries: readonly BatchItem[]): Promise<unknown[]> {
    return (this as unknown as HiddenOfTransaction).session.batch(queries)
  }
}

function hiddenOf(transaction: LakebaseTransaction): HiddenOfTransaction {
  return transaction as unknown as HiddenOfTransaction
}

export function construct(client: LakebaseClient, config: DrizzleConfig<Record<string, unknown>> = {}): LakebaseDatabase {
  const dialect = new core.PgDialect({ casing: config.casing })
  const logger = config.logger === true ? new DefaultLogger() : config.logger || undefined
  const schema = readSchema(config.schema)
  const session = new LakebaseSession(client, dialect, schema, { logger, cache: config.cache })
  const db = new LakebaseDatabase(dialect, session as never, schema)
  return Object.assign(db, { $client: client }, config.cache && { $cache: invalidatable(config.cache) })
}

function readSchema(fullSchema: Record<string, unknown> | undefined): Schema {
  if (!fullSchema) return undefined
  const { tables, tableNamesMap } = orm.extractTablesRelationalConfig(fullSchema, orm.createTableRelationsHelpers)
  return { fullSchema, schema: tables, tableNamesMap }
}

/** A cache with the method that `db.$cache` has. */
export function invalidatable<C extends Cache>(cache: C): C & { invalidate: C['onMutate'] } {
  return Object.assign(cache, { invalidate: cache.onMutate })
}

export async function migrate(db: LakebaseDatabase, migrations: MigrationMeta[], config: MigrationConfig): Promise<void> {
  const { dialect, session } = db as unknown as { dialect: PgDialect; session: LakebaseSession }
  await dialect.migrate(migrations, session as never, config)
}
