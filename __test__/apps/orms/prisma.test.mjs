// docs/orms.md, Prisma. The client is generated here without the schema engine, a program that Prisma's own server gives: tables are made in SQL.
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { run, succeed } from '../support/app.mjs'
import { ormApp } from './support/orm.mjs'

const schema = `generator client {
  provider = "prisma-client-js"
  output   = "../client"
}
datasource db {
  provider = "postgresql"
}
model Author {
  id     Int      @id @default(autoincrement())
  name   String   @unique
  joined DateTime @default(now())
  notes  Json?
  books  Book[]
}
model Book {
  id       Int      @id @default(autoincrement())
  title    String
  price    Decimal?
  author   Author   @relation(fields: [authorId], references: [id])
  authorId Int
}
`

const tables = `
create table "Author" (id serial primary key, name text not null unique, joined timestamp(3) not null default now(), notes jsonb);
create table "Book" (id serial primary key, title text not null, price numeric, "authorId" int not null references "Author" (id))`

async function generate(folder) {
  mkdirSync(join(folder, 'prisma'))
  writeFileSync(join(folder, 'prisma/schema.prisma'), schema)
  writeFileSync(join(folder, 'package.json'), '{ "name": "app", "private": true }')
  // Its name is enough: `generate` does not start it.
  const env = { PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' }
  await succeed(run(folder, process.execPath, [join(folder, '../../node_modules/prisma/build/index.js'), 'generate'], { env }))
}

const app = await ormApp('Prisma', { prepare: generate, sql: tables })
let prisma
let end
app.start(async (module) => {
  ;({ prisma, end } = module)
})

test('an author is created with books and read', async () => {
  await prisma.author.create({ data: { name: 'Ada', notes: { born: 1815 }, books: { create: [{ title: 'Notes', price: '12.50' }, { title: 'Letters' }] } } })
  const [author] = await prisma.author.findMany({ include: { books: { orderBy: { title: 'asc' } } } })
  assert.deepEqual([author.name, author.notes, author.books.map(({ title, price }) => [title, price?.toFixed(2)])], [
    'Ada',
    { born: 1815 },
    [['Letters', undefined], ['Notes', '12.50']],
  ])
  assert.ok(author.joined instanceof Date)
  // Its connections are of this package: nobody else asks for a token.
  assert.equal(app.deployment.calls.postgres, 1)
})

test('a transaction that throws is rolled back', async () => {
  const work = prisma.$transaction(
    async (tx) => {
      await tx.author.create({ data: { name: 'Grace' } })
      throw new Error('changed my mind')
    },
    { isolationLevel: 'Serializable' },
  )
  await assert.rejects(work, { message: 'changed my mind' })
  assert.equal(await prisma.author.count(), 1)
})

test('an error is mapped', async () => {
  const error = await prisma.author.create({ data: { name: 'Ada' } }).catch((error) => error)
  assert.deepEqual([error.name, error.code], ['PrismaClientKnownRequestError', 'P2002'])
})

test('$disconnect() ends its pool', async () => {
  await prisma.$disconnect()
  await end()
  await app.sessionsEnded()
})
