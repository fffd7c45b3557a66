// In a pool of one connection, calls that are not awaited run in the order in which they were made, as in pg: also when a statement is stale.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import theirs from 'pg'
import { createLakebasePool } from 'lakebase-native'
import ours from 'lakebase-native/pg'
import { postgres } from '../support/postgres.mjs'
import { range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

let server
before(async () => {
  server = await postgres({ host: '127.0.0.1' })
})
after(() => server.stop())

const pools = {
  pg: (options) => new theirs.Pool(options),
  'lakebase-native/pg': (options) => new ours.Pool(options),
  createLakebasePool: (options) => createLakebasePool({ password: 'unused', ...options, ssl: false }),
}

const insert = 'insert into ordered values ($1) returning *'
const count = 'select count(*)::int as count from ordered where $1'

for (const [name, open] of Object.entries(pools)) {
  test(`${name}: a stale write comes before the reads behind it, and stale reads before the writes behind them`, async (t) => {
    await server.query('drop table if exists ordered; create table ordered (a int)')
    const pool = open({ host: server.host, port: server.port, user: server.superuser, database: 'postgres', max: 1 })
    t.after(() => pool.end())
    for (const number of range(4)) {
      await pool.query(insert, [number])
      await pool.query(count, [true])
    }
    await server.query('alter table ordered add b int')
    const counts = []
    let writes = 4
    const calls = []
    for (const kind of [insert, count, count, insert, count, insert, insert, count]) {
      if (kind === insert) calls.push(pool.query(insert, [writes++]))
      else {
        const expected = writes
        calls.push(pool.query(count, [true]).then(({ rows }) => counts.push([rows[0].count, expected])))
      }
    }
    await Promise.all(calls)
    for (const [seen, expected] of counts) assert.equal(seen, expected)
    // Another program makes it stale at once again, with a read at the front.
    await server.query('alter table ordered drop b; alter table ordered add c int')
    const [first, , last] = await Promise.all([pool.query('select * from ordered where a < $1', [100]), pool.query(insert, [99]), pool.query(count, [true])])
    assert.equal(first.rowCount, writes)
    assert.equal(last.rows[0].count, writes + 1)
  })
}
