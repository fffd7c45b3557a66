// From an ES module: the default import, names, a namespace.
import pg from 'pg'
import { Client, type Pool, type PoolClient } from 'pg'
import * as namespace from 'pg'

export const pool: pg.Pool = new pg.Pool({ max: 1 })
export const samePool: Pool = new namespace.Pool()
export const client: pg.Client = new Client()
export const held: Promise<PoolClient> = pool.connect()
export const heldToo: Promise<pg.PoolClient> = samePool.connect()
export const config: pg.PoolConfig & pg.ClientConfig = { host: 'localhost' }
export async function query(db: namespace.Pool): Promise<pg.QueryResult<{ n: number }>> {
  return db.query<{ n: number }>('select 1 as n')
}
const { Query, types, defaults, DatabaseError } = pg
export default { Query, types, defaults, DatabaseError, native: pg.native, Result: pg.Result, TypeOverrides: pg.TypeOverrides }
