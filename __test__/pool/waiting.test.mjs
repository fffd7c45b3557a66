// What waits for a lock makes nobody wait who would not on pg: each case runs on pg, on lakebase-native/pg and on createLakebasePool().
import assert from 'node:assert/strict'
import { afterEach } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { createLakebasePool, getToken } from 'lakebase-native'
import { Pool } from 'lakebase-native/pg'
import { deploy } from '../support/deployment.mjs'
import { range, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({
  sql: `
    create table locked (id int primary key, n int default 0);
    create table altered (id int primary key, n int default 0);
    create table other (id int primary key, n int default 0);
    create table journal (id serial);
    insert into locked (id) select generate_series(1, 20);
    insert into altered (id) select generate_series(1, 20);
    insert into other (id) select generate_series(1, 20);
    create function bump(which int) returns int language sql as 'update locked set n = n + 1 where id = which returning n';
    create function note() returns int language sql as 'insert into journal default values returning id';
    create view noted as select note() as id;
  `,
})

const kinds = {
  pg: (options) => new pg.Pool({ ...app.address(), password: getToken, ...options }),
  'lakebase-native/pg': (options) => new Pool({ ...app.address(), password: getToken, ...options }),
  'createLakebasePool()': (options) => createLakebasePool(options),
}

const pools = []
const sessions = []
afterEach(async () => {
  // Locks first: a pool cannot end while its queries wait for them.
  await Promise.all(sessions.splice(0).map((session) => session.end()))
  await app.emulator.query("select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'waiting' and state = 'active'")
  // A pool cannot end while a test that failed has one of its clients.
  await Promise.race([Promise.all(pools.splice(0).map((pool) => pool.end())), sleep(5_000, undefined, { ref: false })])
})

const READ = 'select n from other where id = $1'

/** A pool whose connections are all open and have run each of `texts`, so that it knows them to be quick. */
async function warm(create, max, texts) {
  const pool = create({ max, application_name: 'waiting' })
  pools.push(pool)
  const clients = await Promise.all(range(max).map(() => pool.connect()))
  for (const client of clients) client.release()
  for (const [text, values] of texts) for (let run = 0; run < 3; run++) await pool.query(text, values)
  // What was deleted on the way.
  await app.emulator.query('insert into locked (id) select generate_series(1, 20) on conflict do nothing')
  return pool
}

/** A session that has begun a transaction with these statements. */
async function holding(...statements) {
  const client = new pg.Client({ ...app.address(), password: getToken })
  sessions.push(client)
  await client.connect()
  await client.query('begin')
  for (const statement of statements) await client.query(statement)
  return { release: () => client.query('rollback') }
}

const blocked = async () =>
  (await app.emulator.query("select pid from pg_stat_activity where application_name = 'waiting' and wait_event_type in ('Lock', 'Timeout')")).length

const reads = (pool, count) => Promise.all(range(count).map((number) => pool.query(READ, [(number % 20) + 1])))

/** Sixty reads of a tick come back while the statements that were called among them are blocked. */
async function readsComeBack(pool, blocking) {
  let settled = 0
  const stuck = []
  const free = range(60).map((number) => {
    if (number % 15 === 0 && blocking[number / 15]) stuck.push(pool.query(...blocking[number / 15]).finally(() => settled++))
    return pool.query(READ, [(number % 20) + 1])
  })
  const outcome = Promise.allSettled(stuck)
  const answers = await Promise.all(free)
  assert.ok(answers.every(({ rows }) => rows.length === 1))
  await until(async () => (await blocked()) === blocking.length)
  // And those of later ticks, too.
  for (let round = 0; round < 5; round++) await reads(pool, 60)
  assert.equal(settled, 0)
  return { outcome }
}

for (const [kind, create] of Object.entries(kinds)) {
  const cases = {
    'UPDATE and FOR UPDATE': [
      ['update locked set n = n + 1 where id = $1', [1]],
      ['select n from locked where id = $1 for update', [1]],
      ['update locked set n = n + 1 where id = $1', [1]],
      ['select n from locked where id = $1 for no key update', [1]],
    ],
    'FOR SHARE, DELETE and an INSERT in a CTE': [
      ['select n from locked where id = $1 for share', [1]],
      ['delete from locked where id = $1', [1]],
      ['with new as (insert into locked (id) values ($1) on conflict (id) do update set n = 0 returning n) select n from new', [1]],
    ],
    'a function of the user': [['select bump($1)', [1]], ['select locked.n, bump($1) from locked where id = 2', [1]], ['select bump($1)', [1]]],
    'advisory locks': [['select pg_advisory_xact_lock($1)', [77]], ['select n, pg_advisory_xact_lock_shared($1) from other where id = 1', [77]]],
  }
  for (const [what, blocking] of Object.entries(cases)) {
    test(`${kind}: reads come back while ${what} of the same tick wait for a lock`, async () => {
      const pool = await warm(create, 10, [[READ, [1]], ...blocking])
      const holder = await holding('select * from locked where id = 1 for update', 'select pg_advisory_xact_lock(77)')
      const { outcome } = await readsComeBack(pool, blocking)
      await holder.release()
      for (const { status, reason } of await outcome) assert.equal(status, 'fulfilled', reason)
      })
  }

  test(`${kind}: reads come back while pg_sleep() of the same tick sleeps`, async () => {
    const SLEEP = 'select pg_sleep($1)'
    const pool = await warm(create, 10, [[READ, [1]], [SLEEP, [0]]])
    pool.on('error', () => {})
    const sleepers = await readsComeBack(pool, range(3).map(() => [SLEEP, [600]]))
    await app.emulator.query("select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'")
    for (const { reason } of await sleepers.outcome) assert.equal(reason?.code, '57014')
  })

  test(`${kind}: a program that holds a row lock awaits pool.query() while others wait for that lock`, async () => {
    const UPDATE = 'update locked set n = n + 1 where id = $1'
    const pool = await warm(create, 10, [[READ, [1]], [UPDATE, [3]]])
    const client = await pool.connect()
    await client.query('begin')
    await client.query(UPDATE, [1])
    const waiting = range(3).map(() => pool.query(UPDATE, [1]))
    await reads(pool, 60)
    await pool.query(UPDATE, [2])
    await until(async () => (await blocked()) === 3)
    for (let round = 0; round < 5; round++) await Promise.all([reads(pool, 60), pool.query(UPDATE, [2])])
    await client.query('commit')
    client.release()
    await Promise.all(waiting)
  })

  test(`${kind}: a read that waits for ALTER TABLE of another session holds up no other of its tick`, async () => {
    const ALTERED = 'select n from altered where id = $1'
    const pool = await warm(create, 10, [[READ, [1]], [ALTERED, [1]]])
    const holder = await holding('alter table altered add column more int')
    const { outcome } = await readsComeBack(pool, range(3).map((number) => [ALTERED, [number + 1]]))
    await holder.release()
    for (const { status, reason } of await outcome) assert.equal(status, 'fulfilled', reason)
  })

  test(`${kind}: a read with one connection left comes back, with none left it waits`, async () => {
    const ALTERED = 'select n from altered where id = $1'
    const pool = await warm(create, 4, [[READ, [1]], [ALTERED, [1]]])
    const holder = await holding('alter table altered add column more int')
    const stuck = range(3).map((number) => pool.query(ALTERED, [number + 1]))
    await reads(pool, 60)
    stuck.push(pool.query(ALTERED, [4]))
    await until(async () => (await blocked()) === 4)
    let came = 0
    const late = range(10).map(() => pool.query(READ, [1]).then(() => came++))
    await app.emulator.query('select 1')
    assert.equal(came, 0)
    await holder.release()
    await Promise.all([...stuck, ...late])
  })

  test(`${kind}: a client is to be had while writes wait for a lock and reads keep coming`, async () => {
    const UPDATE = 'update locked set n = n + 1 where id = $1'
    const pool = await warm(create, 4, [[READ, [1]], [UPDATE, [3]]])
    const holder = await holding('select * from locked where id = 1 for update')
    const waiting = range(2).map(() => pool.query(UPDATE, [1]))
    await until(async () => (await blocked()) === 2)
    let stop = false
    const flood = range(20).map(async () => {
      while (!stop) await pool.query(READ, [1])
    })
    for (let round = 0; round < 10; round++) {
      const client = await pool.connect()
      await client.query(READ, [1])
      client.release()
      await pool.query(UPDATE, [2])
    }
    stop = true
    await Promise.all(flood)
    await holder.release()
    await Promise.all(waiting)
  })

  test(`${kind}: a write behind a view happens once however long its connection is held up`, async () => {
    const ALTERED = 'select n from altered where id = $1'
    const NOTED = 'select id from noted'
    const pool = await warm(create, 4, [[READ, [1]], [ALTERED, [1]], [NOTED, []]])
    await app.emulator.query('truncate journal')
    const holder = await holding('alter table altered add column more int')
    const stuck = range(2).map((number) => pool.query(ALTERED, [number + 1]))
    const notes = range(40).map(() => pool.query(NOTED))
    await until(async () => (await blocked()) === 2)
    for (let round = 0; round < 5; round++) await reads(pool, 60)
    await holder.release()
    await Promise.all([...stuck, ...notes])
    assert.equal((await app.emulator.query('select count(*) from journal'))[0].count, '40')
  })

  test(`${kind}: with one connection, reads and writes take effect in the order in which they were called`, async () => {
    const pool = await warm(create, 1, [[READ, [1]]])
    await app.emulator.query('truncate journal')
    const answers = await Promise.all(
      range(20).flatMap(() => [
        pool.query('insert into journal default values'),
        pool.query('select count(*)::int as count from journal'),
        pool.query('select note()'),
        pool.query('select count(*)::int as count from journal'),
      ]),
    )
    assert.deepEqual(answers.flatMap(({ rows }, index) => (index % 2 ? [rows[0].count] : [])), range(41).slice(1))
  })
}
