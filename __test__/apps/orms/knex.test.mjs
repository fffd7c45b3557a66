// docs/orms.md, Knex.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

const app = await ormApp('Knex')
let db
let end
app.start(async (module) => {
  ;({ db, end } = module)
})

test('tables are made, rows inserted and joined', async () => {
  await db.schema.createTable('author', (table) => {
    table.increments()
    table.text('name').notNullable().unique()
  })
  await db.schema.createTable('book', (table) => {
    table.increments()
    table.text('title').notNullable()
    table.integer('author_id').notNullable().references('author.id')
  })
  const [{ id }] = await db('author').insert({ name: 'Ada' }).returning('id')
  await db('book').insert([{ title: 'Notes', author_id: id }, { title: 'Letters', author_id: id }])
  const rows = await db('book').join('author', 'author.id', 'book.author_id').select('title', 'name').orderBy('title')
  assert.deepEqual(rows, [{ title: 'Letters', name: 'Ada' }, { title: 'Notes', name: 'Ada' }])
})

test('a transaction that throws is rolled back, a nested one is a savepoint', async () => {
  const work = db.transaction(async (tx) => {
    await tx('author').insert({ name: 'Grace' })
    await tx.transaction((inner) => inner.raw('select nope')).catch(() => {})
    assert.deepEqual(await tx('author').pluck('name'), ['Ada', 'Grace'])
    throw new Error('changed my mind')
  })
  await assert.rejects(work, { message: 'changed my mind' })
  assert.deepEqual(await db('author').pluck('name'), ['Ada'])
})

test("an error is PostgreSQL's", async () => {
  const error = await db('author').insert({ name: 'Ada' }).catch((error) => error)
  assert.deepEqual([error.code, error.constraint], ['23505', 'author_name_unique'])
})

test('rows are streamed over our driver', async () => {
  const { db: own } = await app.block(1)
  const titles = []
  for await (const { title } of own('book').select('title').orderBy('title').stream()) titles.push(title)
  assert.deepEqual(titles, ['Letters', 'Notes'])
  await own.destroy()
})

test('the pool is ended by itself', async () => {
  await db.destroy()
  await end()
  await app.sessionsEnded()
})
