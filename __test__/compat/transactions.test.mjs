// Transactions: on a client, on a checked-out client, and how they fail.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)
const setup = 'create table t (id serial, v int unique deferrable initially immediate)'
const contents = `select v from t order by v`

compat('commit', { setup }, async ({ pool }) => {
  const opened = pool({ max: 2 })
  const client = await opened.connect()
  const results = [await client.query('begin'), await client.query('insert into t (v) values ($1) returning *', [1]), await opened.query(contents), await client.query('commit')]
  client.release()
  return [results, await opened.query(contents)]
})
compat('rollback', { setup }, async ({ pool }) => {
  const opened = pool({ max: 2 })
  const client = await opened.connect()
  const results = [await client.query('begin'), await client.query('insert into t (v) values ($1)', [1]), await client.query(contents), await client.query('rollback')]
  client.release()
  return [results, await opened.query(contents)]
})
compat('an error inside: everything after is refused until the end', { setup }, async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (const text of ['begin', 'insert into t (v) values (1)', 'select nope', 'select 1', 'insert into t (v) values (2)', 'commit', contents]) results.push(await capture(connected.query(text)))
  return results
})
compat('an error inside, extended queries', { setup }, async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (const [text, values] of [['begin'], ['insert into t (v) values ($1)', [1]], ['select $1::int / 0', [1]], ['select $1::int', [1]], ['rollback'], ['select $1::int', [1]]]) results.push(await capture(connected.query(text, values)))
  return results
})
compat('savepoints', { setup }, async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (const text of ['begin', 'savepoint a', 'insert into t (v) values (1)', 'savepoint b', 'insert into t (v) values (1)', 'rollback to b', 'insert into t (v) values (2)', 'release a', 'commit', contents, 'savepoint x', 'release x']) {
    results.push(await capture(connected.query(text)), connected.getTransactionStatus())
  }
  return results.filter((_, i) => i % 2 === 0)
})
for (const level of ['read committed', 'repeatable read', 'serializable', 'serializable read only deferrable']) {
  compat(`isolation level ${level}`, { setup: `${setup}; insert into t (v) values (1)` }, async ({ client }) => {
    const [a, b] = [await client(), await client()]
    await a.query(`begin isolation level ${level}`)
    const seen = [(await a.query(contents)).rows]
    await b.query('insert into t (v) values (2)')
    seen.push((await a.query(contents)).rows, (await a.query('show transaction_isolation')).rows, (await a.query('show transaction_read_only')).rows)
    await a.query('commit')
    seen.push((await a.query(contents)).rows)
    return seen
  })
}
compat('a constraint that is checked at commit', { setup }, async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (const text of ['begin', 'set constraints all deferred', 'insert into t (v) values (1), (1)', 'commit', contents]) results.push(await capture(connected.query(text)))
  return results
})
compat('statements sent at once keep their order', { setup }, async ({ client, capture }) => {
  const connected = await client()
  const texts = ['begin', 'insert into t (v) values (1)', 'insert into t (v) values (2)', 'commit', contents]
  return Promise.all(texts.map((text) => capture(connected.query(text))))
})
compat('statements sent at once, one fails', { setup }, async ({ client, capture }) => {
  const connected = await client()
  const texts = ['begin', 'insert into t (v) values (1)', 'insert into t (v) values (1)', 'insert into t (v) values (3)', 'commit', contents]
  return Promise.all(texts.map((text) => capture(connected.query(text))))
})
compat('two clients of one pool do not see each other', { setup }, async ({ pool, capture }) => {
  const opened = pool({ max: 2 })
  const [a, b] = [await opened.connect(), await opened.connect()]
  await a.query('begin')
  await b.query('begin')
  await a.query('insert into t (v) values (1)')
  const seen = [(await b.query(contents)).rows]
  await a.query('commit')
  seen.push((await b.query(contents)).rows)
  await b.query('rollback')
  a.release()
  b.release()
  return seen
})
compat('pool.query beside a transaction never runs inside it', { setup }, async ({ pool }) => {
  const opened = pool({ max: 3 })
  const client = await opened.connect()
  await client.query('begin')
  await client.query('insert into t (v) values (1)')
  const outside = await Promise.all(Array.from({ length: 20 }, () => opened.query('select count(*)::int as n, pg_current_xact_id_if_assigned() is null as outside from t')))
  await client.query('rollback')
  client.release()
  return outside.map(({ rows }) => rows[0])
})
compat('BEGIN through pool.query stays on that connection', { setup }, async ({ pool }) => {
  const opened = pool({ max: 1 })
  await opened.query('begin')
  await opened.query('insert into t (v) values (1)')
  await opened.query('rollback')
  return opened.query(contents)
})
compat('a failed statement in a pool transaction drops the connection and with it the transaction', { setup }, async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  await opened.query('begin')
  await opened.query('insert into t (v) values (1)')
  const failed = await capture(opened.query('select nope'))
  return { failed, commit: await capture(opened.query('commit')), after: await opened.query(contents) }
})
compat('a released client in a failed transaction is handed out as it is', { setup }, async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  await client.query('begin')
  await capture(client.query('select nope'))
  client.release()
  const again = await opened.connect()
  const refused = await capture(again.query('select 1'))
  await again.query('rollback')
  again.release()
  return { same: again === client, refused, after: await opened.query(contents) }
})
compat('concurrent transactions with max 3', { setup: 'create table account (id int primary key, amount int); insert into account select n, 100 from generate_series(1, 3) n' }, async ({ pool }) => {
  const opened = pool({ max: 3 })
  await Promise.all(Array.from({ length: 24 }, async (_, i) => {
    const client = await opened.connect()
    try {
      await client.query('begin')
      await client.query('select 1 from account order by id for update')
      await client.query('update account set amount = amount - 1 where id = $1', [(i % 3) + 1])
      await client.query('update account set amount = amount + 1 where id = $1', [((i + 1) % 3) + 1])
      await client.query('commit')
    } finally {
      client.release()
    }
  }))
  return opened.query('select * from account order by id')
})
compat('autocommit of each pool.query', { setup }, async ({ pool, capture }) => {
  const opened = pool({ max: 2 })
  await Promise.all([1, 2, 2, 3].map((v) => capture(opened.query('insert into t (v) values ($1)', [v]))))
  return opened.query(contents)
})
compat('a cursor in a transaction', async ({ client, capture }) => {
  const connected = await client()
  await connected.query('begin')
  await connected.query('declare c scroll cursor for select n from generate_series(1, 5) n')
  const results = []
  for (const text of ['fetch 2 from c', 'fetch backward 1 from c', 'fetch absolute 5 from c', 'fetch 1 from c', 'close c', 'fetch 1 from c']) results.push(await capture(connected.query(text)))
  await connected.query('rollback')
  return results
})
compat('two-phase commit', { setup }, async ({ client, server, oracle }) => {
  const connected = await client()
  const name = connected.database
  await connected.query('begin')
  await connected.query('insert into t (v) values (1)')
  const results = [await connected.query(`prepare transaction '${name}'`), (await connected.query(contents)).rows, await connected.query(`commit prepared '${name}'`), (await connected.query(contents)).rows]
  return results
})
