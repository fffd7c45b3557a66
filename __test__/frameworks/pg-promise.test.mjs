// pg-promise, as it is installed, on the package `pg`.
import { endConnections, onBothPackages } from '../support/both-packages.mjs'

const same = await onBothPackages('pg-promise')

const table = 'create table invoice (id serial primary key, amount numeric not null, note text)'
const open = ({ require, config }, options = {}) => {
  const pgp = require('pg-promise')({ noWarnings: true, ...options })
  return { pgp, db: pgp({ ...config, max: 2 }) }
}
const failure = (promise) => promise.then((value) => ({ value }), (error) => ({ name: error.name, code: error.code, message: error.message }))

same('queries, results of an unexpected size, and errors', async (side) => {
  const { pgp, db } = open(side)
  await db.none(table)
  const seen = {
    one: await db.one('insert into invoice (amount, note) values ($1, $2) returning *', [12.5, 'first']),
    named: await db.one('select ${a} as a, ${b:name} from (select 1 as "b c") t', { a: 'x', b: 'b c' }),
    many: await db.any('select n from generate_series(1, 3) n'),
    none: await db.oneOrNone('select 1 where false'),
    result: (await db.result('update invoice set note = $1', ['changed'])).rowCount,
    multi: await db.multi('select 1 as a; select 2 as b'),
    helpers: await db.many(`${pgp.helpers.insert([{ amount: 1, note: "it's" }, { amount: 2, note: null }], ['amount', 'note'], 'invoice')} returning id, note`),
    prepared: await db.one(new pgp.PreparedStatement({ name: 'by-id', text: 'select note from invoice where id = $1', values: [1] })),
    tooMany: await failure(db.one('select n from generate_series(1, 2) n')),
    wrong: await failure(db.any('select nope')),
  }
  await db.$pool.end()
  return seen
})

same('a transaction is rolled back, a nested one is a savepoint', async (side) => {
  const { db } = open(side)
  await db.none(table)
  const lost = await failure(db.tx(async (t) => {
    await t.none('insert into invoice (amount) values (1)')
    throw new Error('changed my mind')
  }))
  await db.tx(async (t) => {
    await t.none('insert into invoice (amount) values (2)')
    await failure(t.tx(async (inner) => {
      await inner.none('insert into invoice (amount) values (3)')
      await inner.none('select nope')
    }))
  })
  const kept = await db.any('select amount from invoice')
  await db.$pool.end()
  return { lost, kept }
})

same('the server’s version, of the database and of a task', async (side) => {
  const connected = []
  const { db } = open(side, { connect: ({ client, isFresh }) => connected.push([client.serverVersion, isFresh]) })
  const connection = await db.connect()
  const version = connection.client.serverVersion
  connection.done()
  const inTask = await db.task((t) => t.ctx.serverVersion)
  await db.one('select 1 as a')
  await db.$pool.end()
  return { version, inTask, connected, isText: typeof version === 'string' }
})

same('connections that are lost while idle: the next query works', async (side) => {
  const errors = []
  const { db } = open(side, { error: (error) => errors.push(error.code) })
  await db.one('select 1 as a')
  const removed = new Promise((resolve) => db.$pool.once('remove', resolve))
  await endConnections(side.admin)
  await removed
  const next = await db.one('select 2 as b')
  await db.$pool.end()
  return { next, errors }
})

same('a connection that is lost under a task', async (side) => {
  const { db } = open(side)
  const lost = await failure(db.task(async (t) => {
    await t.one('select 1 as a')
    await t.one('select pg_terminate_backend(pg_backend_pid(), 5000)')
  }))
  const next = await db.one('select 2 as b')
  await db.$pool.end()
  return { lost: lost.code, next }
})
