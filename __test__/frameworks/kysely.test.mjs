// Kysely over a pool of this package, through its PostgreSQL dialect.
import assert from 'node:assert/strict'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create table kysely_users (id int primary key, name text not null)' })
const open = (options) => new Kysely({ dialect: new PostgresDialect({ pool: app.pool(options) }) })

test('rows are written and read', async () => {
  const db = open()
  const { numInsertedOrUpdatedRows } = await db.insertInto('kysely_users').values({ id: 1, name: 'Ada' }).executeTakeFirst()
  assert.equal(numInsertedOrUpdatedRows, 1n)
  assert.deepEqual(await db.selectFrom('kysely_users').selectAll().where('name', '=', 'Ada').execute(), [{ id: 1, name: 'Ada' }])
  await db.destroy()
})

test('a transaction runs on one connection, and is rolled back', async () => {
  const db = open({ max: 2 })
  const pids = new Set()
  const work = db.transaction().execute(async (tx) => {
    for (let i = 0; i < 3; i++) pids.add((await sql`select pg_backend_pid() as pid`.execute(tx)).rows[0].pid)
    await tx.insertInto('kysely_users').values({ id: 2, name: 'Grace' }).execute()
    throw new Error('changed my mind')
  })
  await assert.rejects(work, { message: 'changed my mind' })
  assert.equal(pids.size, 1)
  assert.deepEqual(await db.selectFrom('kysely_users').selectAll().where('id', '=', 2).execute(), [])
  await db.destroy()
})

test('destroy() ends the pool', async () => {
  const pool = app.pool()
  const db = new Kysely({ dialect: new PostgresDialect({ pool: async () => pool }) })
  await sql`select 1`.execute(db)
  await db.destroy()
  assert.equal(pool.ended, true)
})
