// An ORM's driver, as Drizzle's: it takes whatever can run a query, and checks a client out where it needs one.
import pg, { type Client, type Pool, type PoolClient, type QueryArrayConfig, type QueryConfig, type QueryResult, type QueryResultRow } from 'pg'

const { types } = pg
export type NodePgClient = Pool | PoolClient | Client

class PreparedQuery<Row extends QueryResultRow> {
  private readonly rawQuery: QueryConfig
  private readonly query: QueryArrayConfig

  constructor(
    private readonly client: NodePgClient,
    text: string,
    private readonly params: unknown[],
    name: string | undefined,
  ) {
    const parsers = {
      getTypeParser: (typeId: number, format?: 'text' | 'binary') => {
        if (typeId === types.builtins.TIMESTAMPTZ || typeId === types.builtins.DATE) return (value: string) => value
        return types.getTypeParser(typeId, format)
      },
    }
    this.rawQuery = { name, text, types: parsers }
    this.query = { name, text, rowMode: 'array', types: parsers }
  }

  async all(): Promise<Row[]> {
    const { rows } = await this.client.query<Row>(this.rawQuery, this.params)
    return rows
  }

  async values(): Promise<unknown[][]> {
    const result = await this.client.query(this.query, this.params)
    return result.rows
  }

  run(): Promise<QueryResult<Row>> {
    return this.client.query<Row>(this.rawQuery, this.params)
  }
}

export class Session {
  constructor(private readonly client: NodePgClient) {}

  prepare<Row extends QueryResultRow = QueryResultRow>(text: string, params: unknown[] = [], name?: string): PreparedQuery<Row> {
    return new PreparedQuery<Row>(this.client, text, params, name)
  }

  async transaction<T>(work: (session: Session) => Promise<T>): Promise<T> {
    const isPool = this.client instanceof pg.Pool
    const session = isPool ? new Session(await (this.client as Pool).connect()) : this
    await session.client.query('begin')
    try {
      const result = await work(session)
      await session.client.query('commit')
      return result
    } catch (error) {
      await session.client.query('rollback')
      throw error
    } finally {
      if (isPool) (session.client as PoolClient).release()
    }
  }
}

export const session = new Session(new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 4 }))
