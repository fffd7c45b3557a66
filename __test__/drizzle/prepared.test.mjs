// Prepared statements and placeholders.
import { compare } from './support/comparison.mjs'

compare(({ orm, core, name: version }) => {
  const { eq, gt, sql } = orm
  const items = core.pgTable('items', { id: core.integer().primaryKey(), name: core.text(), at: core.timestamp(), data: core.jsonb() })
  const at = new Date('2024-01-01T00:00:00Z')
  const statements = (on) => on.execute(sql`select name, statement from pg_prepared_statements where name <> '' and statement like '%items%' order by 1`)
  return {
    setup: `create table items (id int primary key, name text, at timestamp, data jsonb);
      insert into items (id, name) select i, 'item ' || i from generate_series(1, 20) i`,
    run: {
      'many times': async (db) => {
        const find = db.select().from(items).where(gt(items.id, sql.placeholder('id'))).orderBy(items.id).limit(sql.placeholder('limit')).prepare('find')
        return [await find.execute({ id: 3, limit: 2 }), await find.execute({ id: 1, limit: 12 }), await find.execute({ id: 99, limit: 1 })]
      },
      'at the same time': async (db) => {
        const find = db.select().from(items).where(eq(items.id, sql.placeholder('id'))).prepare('find_one')
        return Promise.all(Array.from({ length: 20 }, (_, i) => find.execute({ id: i })))
      },
      'placeholders in values': async (db) => {
        const insert = db
          .insert(items)
          .values({ id: sql.placeholder('id'), name: sql.placeholder('name'), at: sql.placeholder('at'), data: sql.placeholder('data') })
          .returning()
          .prepare('insert_item')
        return [await insert.execute({ id: 100, name: null, at, data: { a: [1] } }), await insert.execute({ id: 101, name: 'x', at, data: [] })]
      },
      'an update and a delete': async (db) => [
        await db.update(items).set({ name: 'changed' }).where(eq(items.id, sql.placeholder('id'))).returning().prepare('change').execute({ id: 3 }),
        await db.delete(items).where(eq(items.id, sql.placeholder('id'))).prepare('remove').execute({ id: 3 }),
      ],
      'its SQL': (db) => {
        const { sql: text, params } = db.select().from(items).where(eq(items.id, sql.placeholder('id'))).prepare('text').getQuery()
        return [text, params.length]
      },
      'the server has it under its name': async (_db, { client, drizzle }) => {
        const own = await client.connect()
        try {
          const db = drizzle({ client: own })
          await db.select().from(items).where(eq(items.id, sql.placeholder('id'))).prepare('by_name').execute({ id: 1 })
          return (await statements(db)).rows.filter(({ name }) => name === 'by_name')
        } finally {
          own.release()
        }
      },
      'in a transaction': (db) =>
        db.transaction(async (tx) => {
          const find = tx.select().from(items).where(eq(items.id, sql.placeholder('id'))).prepare('inside')
          return [await find.execute({ id: 1 }), await find.execute({ id: 2 })]
        }),
      ...(version === '1.0' && {
        'without a name': async (db) => {
          const find = db.select().from(items).where(eq(items.id, sql.placeholder('id'))).prepare()
          return [await find.execute({ id: 1 }), await find.execute({ id: 2 })]
        },
      }),
    },
  }
})
