// From a CommonJS module: `import … = require(…)`.
import pg = require('pg')

const pool: pg.Pool = new pg.Pool({ max: 1 })
const api: typeof pg = pg
async function query(db: pg.Pool | pg.ClientBase): Promise<pg.QueryResult<{ n: number }>> {
  return db.query<{ n: number }>('select 1 as n')
}
export = { pool, api, query, oid: pg.types.builtins.INT4, quote: pg.escapeLiteral, Client: pg.Client }
