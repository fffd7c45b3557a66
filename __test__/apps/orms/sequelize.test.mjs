// docs/orms.md, Sequelize.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ormApp } from './support/orm.mjs'

const app = await ormApp('Sequelize')
let sequelize
let Author
let Book
let library
app.start(async (module) => {
  ;({ sequelize } = module)
  library = (await app.library('sequelize')).default
  const { DataTypes } = library
  Author = sequelize.define('author', { name: { type: DataTypes.TEXT, allowNull: false, unique: true }, kind: DataTypes.ENUM('poet', 'engineer'), notes: DataTypes.JSONB })
  Book = sequelize.define('book', { title: DataTypes.TEXT, price: DataTypes.DECIMAL(8, 2) })
  Author.hasMany(Book)
  Book.belongsTo(Author)
})

test('tables are made, an author created with books and read', async () => {
  await sequelize.sync()
  await Author.create({ name: 'Ada', kind: 'engineer', notes: { born: 1815 }, books: [{ title: 'Notes', price: 12.5 }, { title: 'Letters' }] }, { include: Book })
  const author = await Author.findOne({ include: Book, order: [[Book, 'title', 'asc']] })
  assert.deepEqual([author.name, author.kind, author.notes], ['Ada', 'engineer', { born: 1815 }])
  assert.deepEqual(author.books.map(({ title, price }) => [title, price]), [['Letters', null], ['Notes', '12.50']])
  assert.ok(author.createdAt instanceof Date)
})

test('a transaction that throws is rolled back', async () => {
  const work = sequelize.transaction(async (transaction) => {
    await Author.create({ name: 'Grace' }, { transaction })
    throw new Error('changed my mind')
  })
  await assert.rejects(work, { message: 'changed my mind' })
  assert.equal(await Author.count(), 1)
})

test('an error is mapped', async () => {
  const error = await Author.create({ name: 'Ada' }).catch((error) => error)
  assert.ok(error instanceof library.UniqueConstraintError, error)
  assert.deepEqual([error.fields, error.parent.code], [{ name: 'Ada' }, '23505'])
})

test('close() ends its pool', async () => {
  await sequelize.close()
  await app.sessionsEnded()
})
