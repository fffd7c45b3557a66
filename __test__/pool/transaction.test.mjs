// pool.transaction(fn): everything or nothing.
import assert from 'node:assert/strict'
import { beforeEach } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf, range, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create table accounts (id int primary key, balance int not null check (balance >= 0))' })
beforeEach(() => app.emulator.query('truncate accounts; insert into accounts values (1, 100), (2, 0)'))

const balances = async () => (await app.emulator.query('select balance from accounts order by id')).map(({ balance }) => Number(balance))
const move = async (client, amount) => {
  await client.query('update accounts set balance = balance + $1 where id = 2', [amount])
  await client.query('update accounts set balance = balance - $1 where id = 1', [amount])
}

test('commits, and resolves with what the function gives', async () => {
  const pool = app.pool()
  assert.equal(await pool.transaction(async (client) => (await move(client, 30), 'moved')), 'moved')
  assert.deepEqual(await balances(), [70, 30])
  assert.equal(pool.idleCount, 1)
})

test('nobody sees it before the commit', async () => {
  const pool = app.pool()
  await pool.transaction(async (client) => {
    await move(client, 30)
    const { rows } = await pool.query('select balance from accounts where id = 1')
    assert.equal(rows[0].balance, 100)
  })
})

test("rolls back when the function throws, and rejects with what it threw", async () => {
  const pool = app.pool()
  const thrown = new Error('changed my mind')
  const failing = pool.transaction(async (client) => {
    await move(client, 30)
    throw thrown
  })
  assert.equal(await failureOf(failing), thrown)
  assert.deepEqual(await balances(), [100, 0])
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  assert.equal(app.emulator.counts.logins.accepted, 1, 'the connection is used again')
})

test("rolls back when a query fails, and rejects with the server's error", async () => {
  assert.equal((await failureOf(app.pool().transaction((client) => move(client, 101)))).code, '23514')
  assert.deepEqual(await balances(), [100, 0])
})

test('a function that is not async may throw, too', async () => {
  const thrown = new Error('at once')
  assert.equal(await failureOf(app.pool().transaction(() => { throw thrown })), thrown)
})

test('an error that was swallowed cannot commit half of the work', async () => {
  const failing = app.pool().transaction(async (client) => {
    await client.query('update accounts set balance = 50 where id = 2')
    await client.query('select nonsense').catch(() => {})
  })
  assert.match((await failureOf(failing)).message, /rolled back/)
  assert.deepEqual(await balances(), [100, 0])
})

test('savepoints make a part of it undone', async () => {
  await app.pool().transaction(async (client) => {
    await move(client, 10)
    await client.query('savepoint before_more')
    await assert.rejects(move(client, 1000), { code: '23514' })
    await client.query('rollback to savepoint before_more')
  })
  assert.deepEqual(await balances(), [90, 10])
})

for (const [options, expected] of [
  [undefined, { isolation: 'read committed', read_only: 'off', deferrable: 'off' }],
  [{ isolationLevel: 'repeatable read' }, { isolation: 'repeatable read', read_only: 'off', deferrable: 'off' }],
  [{ isolationLevel: 'serializable', readOnly: true, deferrable: true }, { isolation: 'serializable', read_only: 'on', deferrable: 'on' }],
  [{ readOnly: true }, { isolation: 'read committed', read_only: 'on', deferrable: 'off' }],
  [{ isolationLevel: 'read uncommitted', readOnly: false }, { isolation: 'read uncommitted', read_only: 'off', deferrable: 'off' }],
]) {
  test(`modes ${JSON.stringify(options)} are in force`, async () => {
    const modes = `select current_setting('transaction_isolation') as isolation, current_setting('transaction_read_only') as read_only,
      current_setting('transaction_deferrable') as deferrable`
    const { rows } = await app.pool().transaction((client) => client.query(modes), options)
    assert.deepEqual(rows, [expected])
  })
}

test('a read-only transaction refuses to write', async () => {
  assert.equal((await failureOf(app.pool().transaction((client) => move(client, 1), { readOnly: true }))).code, '25006')
})

test('an isolation level that does not exist is refused before anything is sent', async () => {
  const error = await failureOf(app.pool().transaction(() => {}, { isolationLevel: 'serializable; drop table accounts' }))
  assert.ok(error instanceof TypeError)
  assert.equal(app.emulator.counts.connections.database.opened, 0)
})

test('a serialization failure rejects with its SQLSTATE, so that the app can try again', async () => {
  const pool = app.pool()
  const transfer = (number) =>
    pool.transaction(
      async (client) => {
        const { rows } = await client.query('select sum(balance)::int as sum from accounts')
        await both.arrive()
        await client.query('update accounts set balance = $1 where id = $2', [rows[0].sum, number])
      },
      { isolationLevel: 'serializable' },
    )
  const both = meeting(2)
  const outcomes = await Promise.allSettled([transfer(1), transfer(2)])
  assert.deepEqual(outcomes.flatMap(({ reason }) => reason?.code ?? []), ['40001'])
})

/** Resolves for everybody when the last one has arrived. */
function meeting(count) {
  let open
  const all = new Promise((resolve) => (open = resolve))
  return { arrive: () => (--count === 0 && open(), all) }
}

test('a connection that is lost inside rejects, and the pool goes on', async () => {
  const pool = app.pool({ max: 1 })
  const failing = pool.transaction(async (client) => {
    await move(client, 30)
    const lost = event(client, 'error')
    await app.emulator.terminateConnections()
    await lost
    await move(client, 30)
  })
  assert.match((await failureOf(failing)).message, /not queryable|terminat/)
  assert.deepEqual(await balances(), [100, 0])
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('a connection that is lost under a query of it rejects with the reason', async () => {
  const pool = app.pool({ max: 1 })
  const failing = failureOf(pool.transaction((client) => client.query('select pg_sleep(60)')))
  await until(async () => (await app.emulator.query("select 1 from pg_stat_activity where wait_event = 'PgSleep'")).length === 1)
  await app.emulator.terminateConnections()
  assert.equal((await failing).code, '57P01')
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('a transaction inside a transaction is another one, on another connection', async () => {
  const pool = app.pool({ max: 2 })
  const thrown = new Error('inner')
  await pool.transaction(async (outer) => {
    await move(outer, 10)
    const inner = pool.transaction(async (client) => {
      await client.query('insert into accounts values (3, 0)')
      throw thrown
    })
    assert.equal(await failureOf(inner), thrown)
  })
  assert.deepEqual(await balances(), [90, 10])
})

test('a failed connect rejects before the function is called', async () => {
  app.emulator.faults.database({ kind: 'error', error: { code: '42501', message: 'no' } })
  let called = false
  const error = await failureOf(app.pool().transaction(() => (called = true)))
  assert.deepEqual([error.code, called], ['42501', false])
})

test('many at once, more than there are connections, all do their part', async () => {
  const pool = app.pool({ max: 4 })
  await Promise.all(range(100).map(() => pool.transaction((client) => move(client, 1))))
  assert.deepEqual(await balances(), [0, 100])
  assert.ok(app.emulator.counts.logins.accepted <= 4)
})

test('a stream that is left open fails the transaction, and its connection is closed', async () => {
  const pool = app.pool({ max: 1 })
  const work = async (client) => {
    await client.stream('select generate_series(1, 100000)').next()
  }
  const error = await failureOf(pool.transaction(work))
  assert.match(error.message, /neither read to its end nor closed/)
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})

test('its client cannot be given back in the middle', async () => {
  const pool = app.pool({ max: 1 })
  const error = await failureOf(pool.transaction(async (client) => {
    await client.query('create table given_back ()')
    client.release()
  }))
  assert.match(error.message, /gives its client back itself/)
  assert.equal((await pool.query("select to_regclass('given_back') as table")).rows[0].table, null)
})
