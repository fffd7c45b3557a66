// docs/orms.md, TypeORM.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

const app = await ormApp('TypeORM')
let source
let authors
let typeorm
app.start(async (module) => {
  const { open } = module
  typeorm = await app.library('typeorm')
  const Author = new typeorm.EntitySchema({
    name: 'author',
    columns: { id: { type: Number, primary: true, generated: true }, name: { type: String, unique: true }, joined: { type: 'timestamptz', createDate: true } },
    relations: { books: { type: 'one-to-many', target: 'book', inverseSide: 'author', cascade: true } },
  })
  const Book = new typeorm.EntitySchema({
    name: 'book',
    columns: { id: { type: Number, primary: true, generated: true }, title: { type: String } },
    relations: { author: { type: 'many-to-one', target: 'author', inverseSide: 'books' } },
  })
  source = await open([Author, Book]).initialize()
  authors = source.getRepository('author')
})

test('tables are made, an author saved with books and read', async () => {
  await source.synchronize()
  await authors.save({ name: 'Ada', books: [{ title: 'Notes' }, { title: 'Letters' }] })
  const [author] = await authors.find({ relations: { books: true }, order: { books: { title: 'asc' } } })
  assert.deepEqual([author.name, author.books.map(({ title }) => title)], ['Ada', ['Letters', 'Notes']])
  assert.ok(author.joined instanceof Date)
})

test('the tables are found again: nothing is left to synchronize', async () => {
  const { upQueries } = await source.driver.createSchemaBuilder().log()
  assert.deepEqual(upQueries.map(({ query }) => query), [])
})

test('a transaction that throws is rolled back', async () => {
  const work = source.transaction('SERIALIZABLE', async (manager) => {
    await manager.getRepository('author').save({ name: 'Grace' })
    throw new Error('changed my mind')
  })
  await assert.rejects(work, { message: 'changed my mind' })
  assert.equal(await authors.count(), 1)
})

test('rows are streamed by its query runner', async () => {
  const runner = source.createQueryRunner()
  const titles = []
  for await (const { title } of await runner.stream('select title from book order by title')) titles.push(title)
  await runner.release()
  assert.deepEqual(titles, ['Letters', 'Notes'])
})

test('an error is a QueryFailedError', async () => {
  const error = await authors.insert({ name: 'Ada' }).catch((error) => error)
  assert.ok(error instanceof typeorm.QueryFailedError, error)
  assert.deepEqual([error.code, error.driverError.table], ['23505', 'author'])
})

test('destroy() ends the pool', async () => {
  await source.destroy()
  await app.sessionsEnded()
})
