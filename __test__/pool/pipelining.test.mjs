// More queries than connections: they share connections, and nobody notices.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({
  sql: `
    create table pipelined (id int primary key);
    create function my_own(id int) returns int language sql as 'select id';
  `,
})

const pid = async (queryable) => (await queryable.query('select pg_backend_pid() as pid')).rows[0].pid
const backends = (where) => app.emulator.query(`select pid, query from pg_stat_activity where application_name = 'pipelining' and ${where}`)
const pool = (options) => app.pool({ application_name: 'pipelining', ...options })

/** A query that runs until `open()` is called, on whatever connection it gets. */
async function gate(key) {
  await app.emulator.query(`create table if not exists gate_${key} (id int)`)
  const holder = await app.pool({ max: 1, maxPipeline: 1 }).connect()
  await holder.query(`begin; lock table gate_${key}`)
  return {
    wait: `select count(*) from gate_${key}`,
    /** The query is at the gate, for longer than the few round trips within which others may still be put behind it. */
    closed: async () => {
      await until(async () => (await backends("wait_event_type = 'Lock'")).length > 0)
      await sleep(1_000)
    },
    open: async () => {
      await holder.query('commit')
      holder.release()
    },
  }
}

test('with one connection, many queries at once all run on it, and each answer finds its caller', async () => {
  const one = pool({ max: 1 })
  const first = await pid(one)
  const answers = await Promise.all(range(500).map((number) => one.query('select $1::int as number, pg_backend_pid() as pid', [number])))
  assert.deepEqual(answers.map(({ rows }) => rows[0].number), range(500))
  assert.ok(answers.every(({ rows }) => rows[0].pid === first))
})

test('queries are run in the order in which they were asked', async () => {
  const one = pool({ max: 1 })
  await app.emulator.query('create sequence in_order')
  const answers = await Promise.all(range(200).map(() => one.query("select nextval('in_order')::int as number")))
  assert.deepEqual(answers.map(({ rows }) => rows[0].number), range(201).slice(1))
})

test('over a long link, plain reads are all under way together', async () => {
  const one = pool({ max: 1 })
  const read = () => one.query('select clock_timestamp() as at, count(*) from pipelined')
  await read()
  app.emulator.setLatency(2_000, 'database')
  const answers = range(20).map(read)
  await Promise.race(answers)
  // PostgreSQL runs on this machine, by the same clock: it ran all of them before the network let the first answer through.
  const answered = Date.now()
  for (const { rows } of await Promise.all(answers)) assert.ok(rows[0].at.getTime() < answered)
})

test('nothing follows a write, a locking read or a function that may do anything before it is answered', async () => {
  const one = pool({ max: 1 })
  await pid(one)
  await app.emulator.query('truncate pipelined')
  for (const text of ['insert into pipelined values ($1)', 'select id from pipelined where id = $1 for update', 'select my_own($1)']) {
    app.emulator.setLatency(1_000, 'database')
    const answer = one.query(text, [1])
    const read = one.query('select clock_timestamp() as at')
    await answer
    const answered = Date.now()
    assert.ok((await read).rows[0].at.getTime() >= answered, text)
    app.emulator.setLatency(0, 'database')
  }
})

test('with pipelineWrites, over a long link, inserts are all under way together', async () => {
  const one = pool({ max: 1, pipelineWrites: true })
  await app.emulator.query('truncate pipelined')
  // Behind the first query the connection asks whether it leads to one server process; that is answered before the second.
  for (const number of [0, 1]) await one.query('select $1::int as number', [number])
  // Without an answer to any of them, all have left: PostgreSQL has run them before the network lets anything back.
  app.emulator.setLatency(400, 'database')
  const answers = range(20).map((id) => one.query('insert into pipelined values ($1)', [id]))
  let answered = 0
  for (const answer of answers) answer.then(() => answered++)
  await until(async () => (await app.emulator.query('select count(*) from pipelined'))[0].count === '20')
  assert.equal(answered, 0)
  await Promise.all(answers)
})

test('maxPipeline 1 sends one at a time', async () => {
  const one = pool({ max: 1, maxPipeline: 1, pipelineWrites: true })
  await pid(one)
  await app.emulator.query('truncate pipelined')
  app.emulator.setLatency(100, 'database')
  const answers = range(3).map((id) => one.query('insert into pipelined values ($1)', [id]))
  await answers[0]
  const [{ count }] = await app.emulator.query('select count(*) from pipelined')
  assert.ok(Number(count) < 3, 'the later ones wait for the answer to the first')
  await Promise.all(answers)
})

test('maxPipeline bounds how many share a connection', async () => {
  const one = pool({ max: 1, maxPipeline: 4, pipelineWrites: true })
  await pid(one)
  await app.emulator.query('truncate pipelined')
  app.emulator.setLatency(200, 'database')
  const answers = range(8).map((id) => one.query('insert into pipelined values ($1)', [id]))
  await answers[0]
  const [{ count }] = await app.emulator.query('select count(*) from pipelined')
  assert.equal(Number(count), 4)
  await Promise.all(answers)
})

test('an error in the middle is its own caller\'s, the neighbours do not notice', async () => {
  const one = pool({ max: 1 })
  await pid(one)
  const outcomes = await Promise.allSettled(
    range(60).map((number) => {
      if (number % 3 === 0) return one.query('select 1 / $1::int', [0])
      return number % 3 === 1 ? one.query('select nonsense') : one.query('select $1::int as number', [number])
    }),
  )
  outcomes.forEach(({ value, reason }, number) => {
    if (number % 3 === 0) assert.equal(reason?.code, '22012')
    else if (number % 3 === 1) assert.equal(reason?.code, '42703')
    else assert.equal(value.rows[0].number, number)
  })
})

test('queries that fail are not transactions: what others wrote stays', async () => {
  const one = pool({ max: 1 })
  await app.emulator.query('truncate pipelined')
  await Promise.allSettled(range(40).map((id) => one.query('insert into pipelined values ($1)', [id % 20])))
  assert.equal((await one.query('select count(*)::int as count from pipelined')).rows[0].count, 20)
})

test('a connection that is checked out is nobody else\'s', async () => {
  const two = pool({ max: 2 })
  const client = await two.connect()
  await client.query('begin')
  await client.query('create temporary table mine (id int)')
  const pids = await Promise.all(range(100).map(() => pid(two)))
  assert.ok(!pids.includes(client.processID))
  await client.query('rollback')
  client.release()
})

test('statements that change the session, open a transaction or hold several run alone', async () => {
  const one = pool({ max: 1 })
  await pid(one)
  const read = () => one.query("select current_setting('work_mem') as memory, count(*)::int as count from pipelined")
  await app.emulator.query('truncate pipelined')
  const answers = await Promise.all([
    read(),
    one.query("set work_mem to '8MB'"),
    read(),
    one.query('begin; insert into pipelined values (1); insert into pipelined values (2); commit'),
    read(),
    one.query("do $$ begin insert into pipelined values (3); end $$"),
    read(),
  ])
  const reads = [0, 2, 4, 6].map((index) => answers[index].rows[0])
  assert.deepEqual(reads.at(-1), { memory: '8MB', count: 3 })
  assert.equal(answers[3].length, 4)
})

test('a transaction that pool.query() opens catches no query of others on its connection', async () => {
  const one = pool({ max: 1 })
  await app.emulator.query('truncate pipelined')
  const opened = one.query('begin')
  const others = range(20).map((id) => one.query('insert into pipelined values ($1)', [id]))
  await opened
  // Whoever does this has lost: with one connection the others come into the transaction, one after another, as in node-postgres.
  await Promise.allSettled(others)
  await one.query('commit')
  assert.equal((await app.emulator.query('select count(*) from pipelined'))[0].count, '20')
})

test('a slow query holds up nobody when another connection is free', async () => {
  const two = pool({ max: 2 })
  const { wait, closed, open } = await gate('slow')
  const slow = two.query(wait)
  await closed()
  // The first of them makes a connection, the others share it; none goes behind the slow one.
  for (let round = 0; round < 5; round++) await Promise.all(range(20).map(() => pid(two)))
  await open()
  await slow
})

test('queries behind a slow one are not put there once it has run for a while', async () => {
  const one = pool({ max: 1 })
  const { wait, closed, open } = await gate('alone')
  const slow = one.query(wait)
  await closed()
  const waiting = range(5).map(() => pid(one))
  assert.equal(one.waitingCount, 5)
  await open()
  await Promise.all([slow, ...waiting])
})

test('named statements and cursors of a caller stay on their own connection', async () => {
  const one = pool({ max: 1 })
  const answers = await Promise.all(range(50).map((number) => one.query({ name: 'named', text: 'select $1::int as number', values: [number] })))
  assert.deepEqual(answers.map(({ rows }) => rows[0].number), range(50))
})

test('a query that cannot be sent is its caller\'s error, and leaves the wire as it was', async () => {
  const one = pool({ max: 1 })
  await pid(one)
  const answers = range(5).map((number) => one.query('select $1::int as number', [number]))
  const broken = failureOf(one.query('select $1::text', ['a\0b']))
  const later = range(5).map((number) => one.query('select $1::int as number', [number]))
  assert.match((await broken).message, /NUL|0x00|invalid byte/)
  for (const all of [answers, later]) assert.deepEqual((await Promise.all(all)).map(({ rows }) => rows[0].number), range(5))
})
