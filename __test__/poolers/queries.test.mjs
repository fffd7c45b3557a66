// Plain queries behind PgBouncer: every caller gets its own statement's answer, and the tables hold what the calls say. Without an option, in every setting.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { drivers } from '../support/ledger.mjs'
import { range } from '../support/outcome.mjs'
import { startPgbouncer } from '../support/pgbouncer.mjs'
import { postgres } from '../support/postgres.mjs'

const BOUND_MILLIS = 120_000
const POOLS = 4
const QUERIES = 1_600
const password = 'a password of the pooler'

let server
let databases = 0
before(async () => {
  server = await postgres({ host: '127.0.0.1', password })
})
after(() => server.stop())

const settings = [
  { release: '1.18', mode: 'session' },
  { release: '1.18', mode: 'transaction' },
  { release: '1.24', mode: 'session', settings: { max_prepared_statements: 0 } },
  { release: '1.24', mode: 'transaction', settings: { max_prepared_statements: 0 } },
  { release: '1.24', mode: 'transaction', settings: { max_prepared_statements: 200 } },
  // Fewer than there are texts: the pooler itself forgets and parses again.
  { release: '1.24', mode: 'transaction', settings: { max_prepared_statements: 1 } },
]

/** The four texts, each with rows of its own: the one to read, to change, to delete, to insert. */
const texts = [
  ['select id, kind from invoice where id = $1', (id) => id],
  ['update invoice set changes = changes + 1 where id = $1 returning id, kind', (id) => id],
  ['delete from invoice where id = $1 returning id, kind', (id) => id],
  ["insert into invoice (id, kind) values ($1, 'inserted') returning id, kind", (id) => id],
]
const kinds = ['selected', 'updated', 'deleted', 'inserted']

for (const [name, driver] of Object.entries(drivers)) {
  for (const { release, mode, settings: lines = {} } of settings) {
    const label = `PgBouncer ${release}, ${mode} mode${Object.entries(lines).map(([key, value]) => `, ${key} ${value}`)}`

    /** A database of its own behind a pooler of its own. */
    async function open(t) {
      const database = `queries_${++databases}`
      await server.query(`create database ${database}`)
      await server.query(
        `create table invoice (id int primary key, kind text not null, changes int not null default 0);
         insert into invoice select i, (array['selected', 'updated', 'deleted'])[i % 4 + 1] from generate_series(0, ${QUERIES - 1}) i where i % 4 < 3`,
        database,
      )
      // Session mode holds a server's connection for each of its clients.
      const pooler = await startPgbouncer({ release, mode, server, users: { postgres: password }, settings: { default_pool_size: mode === 'session' ? 40 : 4, ...lines } })
      const options = { host: pooler.host, port: pooler.port, user: 'postgres', password, database, max: 5 }
      const pools = []
      t.after(async () => {
        await Promise.all(pools.map((pool) => pool.end()))
        await pooler.stop()
      })
      const pool = (changes = {}) => {
        pools.push(driver({ ...options, ...changes }))
        pools.at(-1).on('error', () => {})
        return pools.at(-1)
      }
      return { database, pooler, pool }
    }

    test(`${name}: ${QUERIES} queries of four texts, ${POOLS} pools; ${label}`, { timeout: BOUND_MILLIS }, async (t) => {
      const { database, pool } = await open(t)
      const pools = range(POOLS).map(() => pool())
      const seen = { right: 0 }
      const count = (what) => (seen[what] = (seen[what] ?? 0) + 1)
      await Promise.all(
        range(QUERIES).map(async (id) => {
          // Neighbours are of different texts, on different pools.
          const [text] = texts[id % 4]
          try {
            const { rows } = await pools[(id >> 2) % POOLS].query(text, [id])
            if (rows.length !== 1) count(`${rows.length} rows`)
            else count(rows[0].id === id && rows[0].kind === kinds[id % 4] ? 'right' : 'wrong')
          } catch (error) {
            count(`${error.code}: ${error.message.replaceAll(/\d+|"[^"]*"/g, '…')}`)
          }
        }),
      )
      assert.deepEqual(seen, { right: QUERIES })
      const left = await server.query('select kind, count(*) as rows, min(changes) as least, max(changes) as most from invoice group by kind order by kind', database)
      const each = String(QUERIES / 4)
      assert.deepEqual(left, [
        { kind: 'inserted', rows: each, least: '0', most: '0' },
        { kind: 'selected', rows: each, least: '0', most: '0' },
        { kind: 'updated', rows: each, least: '1', most: '1' },
      ])
    })

    test(`${name}: transactions beside plain queries; ${label}`, { timeout: BOUND_MILLIS }, async (t) => {
      const { database, pool } = await open(t)
      const pools = range(POOLS).map(() => pool())
      // One transaction at a time adds to a row: what it reads after it wrote is its own.
      const transactions = range(40).map(async (i) => {
        const id = 4 * (i % 20) + 1
        const client = await pools[i % POOLS].connect()
        try {
          await client.query('begin')
          const before = await client.query('select changes from invoice where id = $1 for update', [id])
          await client.query('update invoice set changes = changes + 1 where id = $1', [id])
          await client.query('savepoint s')
          await client.query("insert into invoice values ($1, 'undone')", [10_000 + i])
          await client.query('rollback to s')
          const after = await client.query('select changes from invoice where id = $1', [id])
          assert.equal(after.rows[0].changes, before.rows[0].changes + 1)
          await client.query(i % 4 === 3 ? 'rollback' : 'commit')
        } finally {
          client.release()
        }
      })
      const reads = range(400).map(async (i) => {
        const { rows } = await pools[i % POOLS].query('select id, pg_current_xact_id_if_assigned() is null as outside from invoice where id = $1', [4 * i])
        assert.deepEqual(rows, [{ id: 4 * i, outside: true }])
      })
      await Promise.all([...transactions, ...reads])
      const [{ added, undone }] = await server.query("select sum(changes) as added, count(*) filter (where kind = 'undone') as undone from invoice", database)
      assert.deepEqual([added, undone], ['30', '0'])
    })

    test(`${name}: values that do not fit and statements that fail, among others; ${label}`, { timeout: BOUND_MILLIS }, async (t) => {
      const { pool } = await open(t)
      const opened = pool()
      const codes = await Promise.all(
        range(120).map((i) => {
          const [text, values] = [
            ['select $1::int as n', [i]],
            ['select $1::int as n', ['x']],
            ['select 1 / ($1::int - $1::int) as n', [i]],
            ['select nothing from invoice where id = $1', [i]],
          ][i % 4]
          return opened.query(text, values).then(({ rows }) => rows[0].n, (error) => error.code)
        }),
      )
      assert.deepEqual(codes, range(120).map((i) => [i, '22P02', '22012', '42703'][i % 4]))
    })

    test(`${name}: a table that changes between queries; ${label}`, { timeout: BOUND_MILLIS }, async (t) => {
      const { pool } = await open(t)
      const [one, other] = [pool({ max: 2 }), pool({ max: 2 })]
      await one.query('create table shape (a int); insert into shape values (1)')
      const shapes = []
      for (const change of ['alter table shape add b text', 'alter table shape drop a', 'drop table shape; create table shape (c date)']) {
        for (const each of [one, other]) shapes.push((await each.query('select * from shape where $1', [true])).fields.map(({ name }) => name).join())
        await other.query(change)
      }
      for (const each of [one, other]) shapes.push((await each.query('select * from shape where $1', [true])).fields.map(({ name }) => name).join())
      assert.deepEqual(shapes, ['a', 'a', 'a,b', 'a,b', 'b', 'b', 'c', 'c'])
    })

    if (mode === 'session') {
      test(`${name}: LISTEN and the caller's own prepared statements; ${label}`, { timeout: BOUND_MILLIS }, async (t) => {
        const { pool } = await open(t)
        const opened = pool()
        const listener = await opened.connect()
        const heard = new Promise((resolve) => listener.once('notification', ({ payload }) => resolve(payload)))
        await listener.query('listen invoices')
        await opened.query("select pg_notify('invoices', $1)", ['paid'])
        assert.equal(await heard, 'paid')
        await listener.query('unlisten *')
        listener.release()
        const answers = await Promise.all(
          range(200).map((i) => opened.query({ name: `caller ${i % 4}`, text: `select $1::int + ${i % 4} as n`, values: [i] }).then(({ rows }) => rows[0].n)),
        )
        assert.deepEqual(answers, range(200).map((i) => i + (i % 4)))
      })
    } else if (lines.max_prepared_statements) {
      test(`${name}: the caller's own prepared statements; ${label}`, { timeout: BOUND_MILLIS }, async (t) => {
        const { pool } = await open(t)
        const pools = range(POOLS).map(() => pool())
        const answers = await Promise.all(
          range(400).map((i) =>
            pools[(i >> 2) % POOLS].query({ name: `caller ${i % 4}`, text: `select $1::int + ${i % 4} as n`, values: [i] }).then(({ rows }) => rows[0].n),
          ),
        )
        assert.deepEqual(answers, range(400).map((i) => i + (i % 4)))
      })
    } else {
      test(`${name}: the caller's own prepared statements within a transaction; ${label}`, { timeout: BOUND_MILLIS }, async (t) => {
        const { pool } = await open(t)
        const opened = pool({ max: 1 })
        const client = await opened.connect()
        await client.query('begin')
        const answers = []
        for (const i of range(8)) answers.push((await client.query({ name: `caller ${i % 4}`, text: `select $1::int + ${i % 4} as n`, values: [i] })).rows[0].n)
        await client.query('deallocate all')
        await client.query('commit')
        client.release()
        assert.deepEqual(answers, range(8).map((i) => i + (i % 4)))
      })
    }
  }
}
