// Queries share a connection only where that is safe: not behind a transaction pooler, which may take the server away between two of them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLakebasePool } from 'lakebase-native'
import { range } from '../support/outcome.mjs'
import { startMessageRelay } from '../support/message-relay.mjs'
import { startPgbouncer } from '../support/pgbouncer.mjs'
import { postgres } from '../support/postgres.mjs'

let server
before(async () => {
  server = await postgres({ host: '127.0.0.1' })
  await server.query('create table written (n int)')
})
after(() => server.stop())

/** Pools on a way that `entrance` leads to, and how many requests at most wait for their answers at once. */
async function watched(t, entrance) {
  const relay = await startMessageRelay(entrance)
  t.after(() => relay.stop())
  return {
    open(options) {
      const pool = createLakebasePool({ host: relay.host, port: relay.port, user: 'postgres', password: 'unused', database: 'postgres', ssl: false, max: 1, ...options })
      pool.on('error', () => {})
      t.after(() => pool.end())
      return pool
    },
    async mostAtOnce(ask) {
      let outstanding = 0
      let most = 0
      relay.decide = ({ from, type }) => {
        if (from === 'client' && (type === 'S' || type === 'Q')) most = Math.max(most, ++outstanding)
        // The login ends with one that nobody asked for.
        if (from === 'server' && type === 'Z' && outstanding > 0) outstanding--
      }
      await ask()
      return most
    },
  }
}

const insert = (pool) => pool.query('insert into written values ($1)', [1])
const read = (pool) => pool.query('select $1::int as a', [1])
/** As often as it takes until the connection knows where it leads. */
const warm = async (pool) => {
  for (const ask of [insert, insert, read, read, read]) await ask(pool)
}

test('pipelineWrites: inserts share a connection that leads to PostgreSQL itself', async (t) => {
  const { open, mostAtOnce } = await watched(t, server)
  const pool = open({ pipelineWrites: true })
  await warm(pool)
  const most = await mostAtOnce(() => Promise.all(range(20).map(() => insert(pool))))
  assert.ok(most > 1, `${most} at once`)
})

for (const release of ['1.18', '1.24']) {
  for (const mode of ['session', 'transaction']) {
    test(`pipelineWrites: they do not behind PgBouncer ${release} in ${mode} mode`, async (t) => {
      const pooler = await startPgbouncer({ release, mode, server })
      t.after(() => pooler.stop())
      const { open, mostAtOnce } = await watched(t, pooler)
      const pool = open({ pipelineWrites: true })
      // Also not on the way to knowing it.
      const most = await mostAtOnce(async () => {
        await Promise.all(range(20).map(() => insert(pool)))
        await warm(pool)
        await Promise.all(range(20).map(() => insert(pool)))
      })
      assert.equal(most, 1)
    })
  }
  test(`reads do not behind PgBouncer ${release} in transaction mode, once two connections have met one server`, async (t) => {
    const pooler = await startPgbouncer({ release, mode: 'transaction', server, settings: { default_pool_size: 1 } })
    t.after(() => pooler.stop())
    const { open, mostAtOnce } = await watched(t, pooler)
    const pools = [open(), open()]
    for (const pool of pools) await warm(pool)
    for (const pool of pools) assert.equal(await mostAtOnce(() => Promise.all(range(20).map(() => read(pool)))), 1)
  })
}
