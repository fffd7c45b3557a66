// docs/orms.md, Objection.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

const app = await ormApp('Objection')
let db
let end
let Author
let objection
app.start(async (module) => {
  ;({ db, end } = module)
  objection = await app.library('objection')
  class Book extends objection.Model {
    static tableName = 'book'
  }
  Author = class extends objection.Model {
    static tableName = 'author'
    static relationMappings = {
      books: { relation: objection.Model.HasManyRelation, modelClass: Book, join: { from: 'author.id', to: 'book.author_id' } },
    }
  }
})

test('a graph is inserted and read', async () => {
  await db.schema.createTable('author', (table) => {
    table.increments()
    table.text('name').notNullable().unique()
  })
  await db.schema.createTable('book', (table) => {
    table.increments()
    table.text('title').notNullable()
    table.integer('author_id').references('author.id')
  })
  await Author.query().insertGraph({ name: 'Ada', books: [{ title: 'Notes' }, { title: 'Letters' }] })
  const [author] = await Author.query().withGraphFetched('books').modifyGraph('books', (books) => books.orderBy('title'))
  assert.deepEqual([author.name, author.books.map(({ title }) => title)], ['Ada', ['Letters', 'Notes']])
})

test('a transaction that throws is rolled back', async () => {
  const work = Author.transaction(async (tx) => {
    await Author.query(tx).insert({ name: 'Grace' })
    throw new Error('changed my mind')
  })
  await assert.rejects(work, { message: 'changed my mind' })
  assert.equal(await Author.query().resultSize(), 1)
})

test('an error is mapped', async () => {
  const error = await Author.query().insert({ name: 'Ada' }).catch((error) => error)
  assert.ok(error instanceof objection.UniqueViolationError, error)
  assert.deepEqual([error.table, error.constraint, error.columns], ['author', 'author_name_unique', ['name']])
})

test('the pool is ended by itself', async () => {
  await end()
  await app.sessionsEnded()
})
