// Errors: Drizzle's own around the server's, with the query.
import { compare } from './support/comparison.mjs'

compare(({ orm, core }) => {
  const { eq, sql } = orm
  const parents = core.pgTable('parents', { id: core.integer().primaryKey(), name: core.varchar({ length: 5 }).notNull() })
  const children = core.pgTable('children', { id: core.integer().primaryKey(), parentId: core.integer('parent_id'), age: core.integer() })
  const absent = core.pgTable('absent', { id: core.integer() })
  return {
    setup: `
      create table parents (id int primary key, name varchar(5) not null);
      create table children (id int primary key, parent_id int references parents, age int check (age > 0));
      insert into parents values (1, 'Ada')`,
    run: {
      'error: unique': (db) => db.insert(parents).values({ id: 1, name: 'Bob' }),
      'error: not null': (db) => db.insert(parents).values({ id: 2, name: null }),
      'error: foreign key': (db) => db.insert(children).values({ id: 1, parentId: 99 }),
      'error: check': (db) => db.insert(children).values({ id: 1, age: -1 }).returning(),
      'error: too long': (db) => db.insert(parents).values({ id: 2, name: 'Augusta' }),
      'error: no such table': (db) => db.select().from(absent).where(eq(absent.id, 1)),
      'error: syntax': (db) => db.execute(sql`selec ${1}`),
      'error: division by zero': (db) => db.select({ n: sql`1 / ${sql.raw('0')}` }).from(parents),
      'error: in the middle of rows': (db) => db.select({ n: sql`10 / (5 - i)` }).from(sql`generate_series(1, 9) i`),
      'error: a value of another type': (db) => db.select().from(parents).where(eq(parents.id, 'x')),
      'error: several statements': (db) => db.execute('select 1; select 1 / 0'),
      'error: prepared': (db) => db.select().from(parents).where(sql`1 / ${sql.placeholder('n')} > 0`).prepare('dividing').execute({ n: 0 }),
      'error: no value for a placeholder': (db) => db.select().from(parents).where(eq(parents.id, sql.placeholder('id'))).prepare('p').execute({}),
      'error: a value that cannot be sent': (db) => db.execute(sql`select ${{ toPostgres: () => { throw new RangeError('not this one') } }}`),
      'the pool goes on': async (db) => {
        await db.insert(parents).values({ id: 1, name: 'Bob' }).catch(() => {})
        return db.select().from(parents)
      },
      'the code is in the cause': (db) => db.insert(parents).values({ id: 1, name: 'Bob' }).catch((error) => [error instanceof orm.DrizzleQueryError, error.cause.code, error.cause.constraint]),
    },
  }
})
