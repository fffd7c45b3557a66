// A query builder's view of a pool, as Kysely's: interfaces of its own that the driver's classes have to fit.
import { Pool, type PoolConfig } from 'pg'
import Cursor from 'pg-cursor'

interface DialectPool {
  connect(): Promise<DialectClient>
  end(): Promise<void>
}

interface DialectClient {
  query<R>(sql: string, parameters: readonly unknown[]): Promise<DialectResult<R>>
  query<R>(cursor: DialectCursor<R>): DialectCursor<R>
  release(): void
}

interface DialectCursor<T> {
  read(rowsCount: number): Promise<T[]>
  close(): Promise<void>
}

interface DialectResult<R> {
  command: string
  rowCount: number | null
  rows: R[]
}

type CursorClass = new <T>(sql: string, parameters: unknown[]) => DialectCursor<T>

interface DialectConfig {
  pool: DialectPool | (() => Promise<DialectPool>)
  cursor?: CursorClass
  onCreateConnection?: (connection: DialectClient) => Promise<void>
}

class Driver {
  constructor(private readonly config: DialectConfig) {}

  async execute<R>(sql: string, parameters: readonly unknown[]): Promise<R[]> {
    const pool = typeof this.config.pool === 'function' ? await this.config.pool() : this.config.pool
    const client = await pool.connect()
    try {
      return (await client.query<R>(sql, [...parameters])).rows
    } finally {
      client.release()
    }
  }
}

const settings: PoolConfig = { host: 'localhost', port: 5432, max: 10, idleTimeoutMillis: null, ssl: { rejectUnauthorized: false } }
export const eager = new Driver({ pool: new Pool(settings), cursor: Cursor })
export const lazy = new Driver({ pool: async () => new Pool({ ...settings, password: async () => 'secret' }) })
