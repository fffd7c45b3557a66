// Selections, subqueries, set operations, views, and what aggregates.
import { compare } from './support/comparison.mjs'

compare(({ orm, core, name }) => {
  const { eq, gt, lt, sql, desc, count, countDistinct, sum, sumDistinct, avg, avgDistinct, min, max, and } = orm
  const { pgTable, integer, text, numeric, timestamp, union, unionAll, intersect, intersectAll, except, exceptAll, pgView, pgMaterializedView } = core
  const sales = pgTable('sales', { id: integer().primaryKey(), shop: text(), amount: numeric(), at: timestamp() })
  const columns = { id: integer(), shop: text() }
  const large = pgView('large_sales').as((qb) => qb.select({ id: sales.id, shop: sales.shop }).from(sales).where(gt(sales.amount, '10')))
  const existing = pgView('large_sales', columns).existing()
  const totals = pgMaterializedView('totals', { shop: text(), total: numeric() }).existing()
  const low = (db) => db.select({ id: sales.id, shop: sales.shop }).from(sales).where(lt(sales.id, 6))
  const high = (db) => db.select({ id: sales.id, shop: sales.shop }).from(sales).where(gt(sales.id, 3))
  const sorted = (rows) => [...rows].sort((a, b) => a.id - b.id)
  return {
    setup: `
      create table sales (id int primary key, shop text, amount numeric, at timestamp);
      insert into sales select i, case when i % 5 > 0 then 'shop ' || i % 3 end, i * 2.5, '2024-01-01'::timestamp + i * interval '1 day'
        from generate_series(1, 12) i;
      create view large_sales as select id, shop from sales where amount > 10;
      create materialized view totals as select shop, sum(amount) as total from sales group by shop`,
    run: {
      'all columns': (db) => db.select().from(sales).orderBy(sales.id),
      'no row': (db) => db.select().from(sales).where(eq(sales.id, 99)),
      'one row': (db) => db.select().from(sales).where(eq(sales.id, 9)),
      'some columns, and expressions': (db) =>
        db
          .select({ id: sales.id, text: sql`'x' || ${sales.id}`, number: sql`${sales.id}::int8`.mapWith(Number), date: sql`${sales.at}`.mapWith(sales.at), raw: sql`${sales.at}` })
          .from(sales)
          .orderBy(sales.id),
      'nested objects': (db) => db.select({ sale: { id: sales.id, of: { shop: sales.shop } }, all: sales }).from(sales).orderBy(sales.id),
      'names that need quoting': (db) =>
        db.select({ 'a "b"': sales.id, "it's": sales.shop, 'new\nline': sales.amount, 7: sales.id, constructor: sales.id, '${x}': sales.id }).from(sales).orderBy(sales.id),
      'objects under the names of every object': (db) => db.select({ id: sales.id, valueOf: sales.shop }).from(sales).orderBy(sales.id),
      distinct: (db) => db.selectDistinct({ shop: sales.shop }).from(sales).orderBy(sales.shop),
      'distinct on': (db) => db.selectDistinctOn([sales.shop], { shop: sales.shop, id: sales.id }).from(sales).orderBy(sales.shop, desc(sales.id)),
      'limit and offset': (db) => db.select().from(sales).orderBy(sales.id).limit(3).offset(5),
      'group by, having': (db) =>
        db.select({ shop: sales.shop, n: count(), total: sum(sales.amount) }).from(sales).groupBy(sales.shop).having(({ n }) => gt(n, 2)).orderBy(sales.shop),
      aggregates: (db) =>
        db
          .select({ all: count(), some: count(sales.shop), shops: countDistinct(sales.shop), sum: sum(sales.amount), sumDistinct: sumDistinct(sales.amount), avg: avg(sales.amount), avgDistinct: avgDistinct(sales.id), min: min(sales.at), max: max(sales.at) })
          .from(sales),
      'aggregates of nothing': (db) => db.select({ sum: sum(sales.amount), max: max(sales.at), n: count() }).from(sales).where(eq(sales.id, 99)),
      $count: async (db) => [await db.$count(sales), await db.$count(sales, gt(sales.id, 3)), await db.$count(large)],
      '$count in a selection': (db) => db.select({ id: sales.id, n: db.$count(sales, lt(sales.id, 4)) }).from(sales).limit(2),
      'a subquery to select from': (db) => {
        const sub = db.select({ id: sales.id, twice: sql`${sales.amount} * 2`.as('twice') }).from(sales).as('sub')
        return db.select({ id: sub.id, twice: sub.twice }).from(sub).orderBy(sub.id)
      },
      'a subquery as a value': (db) =>
        db.select({ id: sales.id, largest: sql`(${db.select({ m: max(sales.amount) }).from(sales)})` }).from(sales).orderBy(sales.id).limit(2),
      'common table expressions': (db) => {
        const shops = db.$with('shops').as(db.select({ shop: sales.shop, total: sum(sales.amount).as('total') }).from(sales).groupBy(sales.shop))
        const best = db.$with('best').as(db.select({ shop: shops.shop }).from(shops).where(gt(shops.total, sql`30`)))
        return db.with(shops, best).select().from(best).orderBy(best.shop)
      },
      union: async (db) => sorted(await union(low(db), high(db))),
      'union all': (db) => unionAll(low(db), high(db)).orderBy(sql`id`),
      intersect: async (db) => sorted(await intersect(low(db), high(db))),
      'intersect all': async (db) => sorted(await intersectAll(low(db), high(db))),
      except: async (db) => sorted(await except(low(db), high(db))),
      'except all': async (db) => sorted(await exceptAll(low(db), high(db))),
      'chained set operations': async (db) => sorted(await low(db).union(high(db)).except(db.select({ id: sales.id, shop: sales.shop }).from(sales).where(eq(sales.id, 4)))),
      'for update': (db) => db.transaction((tx) => tx.select().from(sales).where(eq(sales.id, 1)).for('update', { skipLocked: true })),
      dynamic: (db) => {
        let query = db.select().from(sales).$dynamic()
        query = query.where(and(gt(sales.id, 2), lt(sales.id, 9)))
        return query.orderBy(sales.id).limit(3)
      },
      'a view': async (db) => [sorted(await db.select().from(large)), sorted(await db.select({ shop: existing.shop, id: existing.id }).from(existing))],
      'a materialized view': async (db) => {
        const before = await db.select().from(totals).orderBy(totals.shop)
        await db.insert(sales).values({ id: 13, shop: 'shop 1', amount: '100' })
        const refreshed = await db.refreshMaterializedView(totals)
        await db.execute(sql`create unique index on totals (shop)`)
        await db.refreshMaterializedView(totals).concurrently()
        return { before, refreshed, after: await db.select().from(totals).orderBy(totals.shop) }
      },
      execute: (db) => db.execute(sql`select id, at, amount, ${'x'} as given from ${sales} order by id limit 2`),
      'execute, a text': (db) => db.execute('select 1 as one, now() is not null as two'),
      'execute, several statements': (db) => db.execute('select 1 as one; select 2 as two'),
      'execute, no rows': (db) => db.execute(sql`update ${sales} set shop = null where id > ${10}`),
      ...(name === '1.0' && {
        'execute in each mode': async (db) => {
          const query = sql`select id, at, amount from ${sales} order by id limit 2`
          return [await db.execute(query, 'arrays'), await db.execute(query, 'objects'), await db.execute(query, 'raw')]
        },
      }),
    },
  }
})
