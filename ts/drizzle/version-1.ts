/** The driver for drizzle-orm 1.0. */

import { DefaultLogger, entityKind, NoopLogger, sql, type Logger } from 'drizzle-orm'
import { NoopCache } from 'drizzle-orm/cache/core'
import type { Query, SQL } from 'drizzle-orm-rc'
import type { Cache } from 'drizzle-orm-rc/cache/core'
import type { MigrationConfig, MigrationMeta, MigratorInitFailResponse } from 'drizzle-orm-rc/migrator'
import type { DrizzlePgConfig, PgDialect, PgQueryResultHKT, PgTransactionConfig, PreparedQueryConfig } from 'drizzle-orm-rc/pg-core'
import type { AnyRelations } from 'drizzle-orm-rc/relations'
import { send, transact, type LakebaseClient } from './client.js'
import { lakebaseCodecs } from './codecs.js'
import { core1 as core } from './orm.js'

type Prepared = ConstructorParameters<typeof core.PgAsyncPreparedQuery>
type Mode = 'arrays' | 'objects' | 'raw'
type MapRows = Prepared[2]
type Metadata = Prepared[6]
type CacheConfig = Prepared[7]

interface Settings {
  logger?: Logger | undefined
  cache?: Cache | undefined
  paramsInErrors?: boolean | undefined
}

/** Members that Drizzle's declarations leave out. */
interface Hidden {
  dialect: PgDialect
  session: LakebaseSession
  getTransactionConfigSQL(config: PgTransactionConfig): SQL
  setTransactionSnapshotSQL(snapshot: string): SQL
}

/** A query that `batch()` takes. */
interface BatchItem {
  _prepare(): unknown
}

export class LakebasePreparedQuery<T extends PreparedQueryConfig = PreparedQueryConfig> extends core.PgAsyncPreparedQuery<T> {
  static readonly [entityKind]: string = 'LakebasePreparedQuery'
  private readonly name: string | undefined

  constructor(client: LakebaseClient, name: string | undefined, ...[query, mapRows, mode, ...settings]: ParametersAfterExecutor) {
    super((params) => this.send(client, params), query, mapRows, mode, ...settings)
    this.name = name
  }

  /** The same query for another connection. */
  on(client: LakebaseClient): this {
    const executor = (params?: unknown[]): Promise<unknown> => this.send(client, params)
    return Object.create(this, { executor: { value: executor } }) as this
  }

  private async send(client: LakebaseClient, params: unknown[] = []): Promise<unknown> {
    const rowMode = this.mode === 'arrays' ? 'array' : undefined
    const result = await send(client, { name: this.name, text: this.query.sql, rowMode }, params)
    return this.mode === 'raw' ? result : result.rows
  }
}

type ParametersAfterExecutor = Prepared extends [unknown, ...infer Rest] ? Rest : never

export class LakebaseSession extends core.PgAsyncSession<PgQueryResultHKT, AnyRelations> {
  static readonly [entityKind]: string = 'LakebaseSession'
  private readonly logger: Logger
  private readonly cache: Cache

  constructor(
    private readonly client: LakebaseClient,
    dialect: PgDialect,
    private readonly relations: AnyRelations,
    private readonly settings: Settings = {},
  ) {
    super(dialect)
    this.logger = settings.logger ?? new NoopLogger()
    this.cache = settings.cache ?? (new NoopCache() as unknown as Cache)
  }

  /** `name` is true where Drizzle would make up a name: the pool prepares statements without one. */
  override prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig>(
    query: Query,
    mode: Mode,
    name: string | boolean,
    mapRows?: MapRows,
    metadata?: Metadata,
    cacheConfig?: CacheConfig,
  ): LakebasePreparedQuery<T> {
    const { client, logger, cache, settings } = this
    const named = typeof name === 'string' ? name : undefined
    return new LakebasePreparedQuery<T>(client, named, query, mapRows, mode, logger, cache, metadata, cacheConfig, settings.paramsInErrors)
  }

  override transaction<T>(work: (transaction: LakebaseTransaction) => Promise<T>, config?: PgTransactionConfig): Promise<T> {
    const { client, relations, settings } = this
    const { dialect } = this as unknown as Hidden
    return transact(
      client,
      {
        on: (connection) => {
          const session = connection === client ? this : new LakebaseSession(connection, dialect, relations, settings)
          return new LakebaseTransaction(dialect, session, relations, undefined, false)
        },
        begin: (transaction) => transaction.execute(raw`begin${config && raw` ${hiddenOf(transaction).getTransactionConfigSQL(config)}`}`),
        commit: (transaction) => transaction.execute(raw`commit`),
        rollback: (transaction) => transaction.execute(raw`rollback`),
      },
      async (transaction) => {
        if (typeof config?.snapshot === 'string') await transaction.execute(hiddenOf(transaction).setTransactionSnapshotSQL(config.snapshot))
        return work(transaction)
      },
    )
  }

  /** Runs queries in one transaction, one after another. */
  batch(queries: readonly BatchItem[]): Promise<unknown[]> {
    return this.transaction(async (transaction) => {
      const { client } = hiddenOf(transaction).session
      const results: unknown[] = []
      for (const query of queries) results.push(await (query._prepare() as LakebasePreparedQuery).on(client).execute())
      return results
    })
  }
}

export class LakebaseTransaction extends core.PgAsyncTransaction<PgQueryResultHKT, AnyRelations> {
  static readonly [entityKind]: string = 'LakebaseTransaction'

  /** A savepoint. */
  override async transaction<T>(work: (transaction: LakebaseTransaction) => Promise<T>): Promise<T> {
    const { dialect, session } = hiddenOf(this)
    const name = `sp${this.nestedIndex + 1}`
    const nested = new LakebaseTransaction(dialect, session, this._.relations, this.nestedIndex + 1, false)
    await nested.execute(raw.raw(`savepoint ${name}`))
    try {
      const result = await work(nested)
      await nested.execute(raw.raw(`release savepoint ${name}`))
      return result
    } catch (error) {
      // The caller's error, also where there is nothing left to roll back to.
      await nested.execute(raw.raw(`rollback to savepoint ${name}`)).catch(() => {})
      throw error
    }
  }
}

export class LakebaseDatabase extends core.PgAsyncDatabase<PgQueryResultHKT, AnyRelations> {
  static readonly [entityKind]: string = 'LakebaseDatabase'

  batch(queries: readonly BatchItem[]): Promise<unknown[]> {
    return hiddenOf(this).session.batch(queries)
  }
}

/** `sql`, with the types of 1.0. */
const raw = sql as unknown as typeof import('drizzle-orm-rc').sql

function hiddenOf(database: LakebaseDatabase | LakebaseTransaction | LakebaseSession): Hidden {
  return database as unknown as Hidden
}

export function construct(client: LakebaseClient, config: DrizzlePgConfig<AnyRelations> = {}): LakebaseDatabase {
  const { cache, paramsInErrors, relations = {} } = config
  const dialect = new core.PgDialect({ useJitMappers: config.jit && generatesCode(), codecs: config.codecs ?? lakebaseCodecs() })
  const logger = config.logger === true ? new DefaultLogger() : config.logger || undefined
  const session = new LakebaseSession(client, dialect, relations, { logger, cache, paramsInErrors })
  const db = new LakebaseDatabase(dialect, session as never, relations)
  return Object.assign(db, { $client: client }, cache && { $cache: Object.assign(cache, { invalidate: cache.onMutate }) })
}

/** Not with --disallow-code-generation-from-strings. */
function generatesCode(): boolean {
  try {
    return Boolean(new Function('return true')())
  } catch {
    return false
  }
}

export function migrate(db: LakebaseDatabase, migrations: MigrationMeta[], config: MigrationConfig): Promise<void | MigratorInitFailResponse> {
  return core.migrate(migrations, db, config)
}
