// docs/orms.md, Kysely.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

const app = await ormApp('Kysely')
let db
app.start(async (module) => {
  db = module.db
})

test('tables are made, rows inserted and joined', async () => {
  await db.schema.createTable('author').addColumn('id', 'serial', (column) => column.primaryKey()).addColumn('name', 'text', (column) => column.notNull().unique()).execute()
  await db.schema
    .createTable('book')
    .addColumn('id', 'serial', (column) => column.primaryKey())
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('author_id', 'integer', (column) => column.notNull().references('author.id'))
    .execute()
  const { id } = await db.insertInto('author').values({ name: 'Ada' }).returning('id').executeTakeFirstOrThrow()
  await db.insertInto('book').values([{ title: 'Notes', author_id: id }, { title: 'Letters', author_id: id }]).execute()
  const rows = await db.selectFrom('book').innerJoin('author', 'author.id', 'book.author_id').select(['title', 'name']).orderBy('title').execute()
  assert.deepEqual(rows, [{ title: 'Letters', name: 'Ada' }, { title: 'Notes', name: 'Ada' }])
})

test('a transaction that throws is rolled back', async () => {
  const work = db.transaction().execute(async (tx) => {
    await tx.insertInto('author').values({ name: 'Grace' }).execute()
    throw new Error('changed my mind')
  })
  await assert.rejects(work, { message: 'changed my mind' })
  assert.deepEqual(await db.selectFrom('author').select('name').execute(), [{ name: 'Ada' }])
})

test("an error is PostgreSQL's", async () => {
  const error = await db.insertInto('author').values({ name: 'Ada' }).execute().catch((error) => error)
  assert.deepEqual([error.code, error.constraint, error.table], ['23505', 'author_name_key', 'author'])
})

test('destroy() ends the pool', async () => {
  await db.destroy()
  await app.sessionsEnded()
})
