// docs/orms.md, MikroORM.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

const app = await ormApp('MikroORM', { library: '@mikro-orm/postgresql' })
let orm
let library
app.start(async (module) => {
  const { open } = module
  library = await app.library('@mikro-orm/core')
  const Author = new library.EntitySchema({
    name: 'Author',
    properties: {
      id: { type: 'number', primary: true },
      name: { type: 'string', unique: true },
      joined: { type: 'datetime', onCreate: () => new Date('2026-01-02T03:04:05Z') },
      notes: { type: 'json', nullable: true },
      books: { kind: '1:m', entity: 'Book', mappedBy: 'author' },
    },
  })
  const Book = new library.EntitySchema({
    name: 'Book',
    properties: { id: { type: 'number', primary: true }, title: { type: 'string' }, author: { kind: 'm:1', entity: 'Author', inversedBy: 'books' } },
  })
  orm = await open([Author, Book])
})

test('tables are made, an author persisted with books and read', async () => {
  await orm.getSchemaGenerator().createSchema()
  const em = orm.em.fork()
  em.create('Author', { name: 'Ada', notes: { born: 1815 }, books: [{ title: 'Notes' }, { title: 'Letters' }] })
  await em.flush()
  const [author] = await orm.em.fork().find('Author', {}, { populate: ['books'], orderBy: { books: { title: 'asc' } } })
  assert.deepEqual([author.name, author.notes, author.books.getItems().map(({ title }) => title)], ['Ada', { born: 1815 }, ['Letters', 'Notes']])
  assert.deepEqual(author.joined, new Date('2026-01-02T03:04:05Z'))
})

test('a transaction that throws is rolled back', async () => {
  const work = orm.em.fork().transactional(async (em) => {
    em.create('Author', { name: 'Grace' })
    await em.flush()
    throw new Error('changed my mind')
  })
  await assert.rejects(work, { message: 'changed my mind' })
  assert.equal(await orm.em.fork().count('Author'), 1)
})

test('an error is mapped', async () => {
  const em = orm.em.fork()
  em.create('Author', { name: 'Ada' })
  const error = await em.flush().catch((error) => error)
  assert.ok(error instanceof library.UniqueConstraintViolationException, error)
  assert.equal(error.code, '23505')
})

test('close() ends its pool', async () => {
  await orm.close()
  await app.sessionsEnded()
})
