// Every operator and expression: the rows that it finds.
import { compare } from './support/comparison.mjs'

compare(({ orm, core }) => {
  const { eq, ne, gt, gte, lt, lte, isNull, isNotNull, inArray, notInArray, between, notBetween, like, notLike, ilike, notIlike, not, and, or, exists, notExists, sql } = orm
  const { arrayContains, arrayContained, arrayOverlaps, asc, desc, l2Distance } = orm
  const items = core.pgTable('items', {
    id: core.integer().primaryKey(),
    name: core.text(),
    price: core.numeric(),
    tags: core.text().array(),
    at: core.timestamp({ withTimezone: true }),
    data: core.jsonb(),
  })
  const found = (condition) => (db) => db.select({ id: items.id }).from(items).where(condition).orderBy(items.id)
  const at = new Date('2024-01-05T00:00:00Z')
  const other = core.alias(items, 'other')
  return {
    setup: `
      create table items (id int primary key, name text, price numeric, tags text[], at timestamptz, data jsonb);
      insert into items select i, case when i % 4 > 0 then 'Item ' || i end, i * 1.5, array['t' || i % 3, 'all'],
        '2024-01-01T00:00:00Z'::timestamptz + i * interval '1 day', jsonb_build_object('n', i) from generate_series(1, 12) i`,
    run: {
      eq: found(eq(items.name, 'Item 2')),
      'eq, a Date': found(eq(items.at, at)),
      'eq, numeric': found(eq(items.price, '4.50')),
      'eq, JSON': found(eq(items.data, { n: 3 })),
      ne: found(ne(items.name, 'Item 2')),
      gt: found(gt(items.at, at)),
      gte: found(gte(items.id, 10)),
      lt: found(lt(items.price, '5')),
      lte: found(lte(items.id, 3)),
      isNull: found(isNull(items.name)),
      isNotNull: found(isNotNull(items.name)),
      inArray: found(inArray(items.id, [1, 3, 99])),
      'inArray, none': found(inArray(items.id, [])),
      'inArray, a subquery': (db) => found(inArray(items.id, db.select({ id: other.id }).from(other).where(gt(other.id, 9))))(db),
      notInArray: found(notInArray(items.id, [1, 3, 99])),
      between: found(between(items.id, 3, 5)),
      notBetween: found(notBetween(items.id, 3, 5)),
      like: found(like(items.name, 'Item 1%')),
      notLike: found(notLike(items.name, 'Item 1%')),
      ilike: found(ilike(items.name, 'ITEM 1%')),
      notIlike: found(notIlike(items.name, 'ITEM 1%')),
      not: found(not(eq(items.id, 3))),
      'and, or': found(and(or(eq(items.id, 1), eq(items.id, 2), undefined), gt(items.id, 1))),
      exists: (db) => found(exists(db.select().from(other).where(eq(other.id, sql`${items.id} + 6`))))(db),
      notExists: (db) => found(notExists(db.select().from(other).where(eq(other.id, sql`${items.id} + 6`))))(db),
      arrayContains: found(arrayContains(items.tags, ['t1', 'all'])),
      arrayContained: found(arrayContained(items.tags, ['t1', 'all', 'none'])),
      arrayOverlaps: found(arrayOverlaps(items.tags, ['t0', 't2'])),
      'sql with values': found(sql`${items.data}->>'n' = ${'4'} or ${items.id} = ${7}`),
      'sql.join, sql.raw, sql.identifier, sql.placeholder': (db) =>
        db
          .select({ id: items.id })
          .from(items)
          .where(sql.join([sql`${sql.identifier('id')} > ${sql.placeholder('min')}`, sql.raw('id < 9')], sql` and `))
          .orderBy(desc(items.id))
          .prepare('joined')
          .execute({ min: 4 }),
      'order by several': (db) => db.select({ id: items.id }).from(items).orderBy(desc(items.name), asc(items.id)),
      'error: an operator that the server does not have': found(l2Distance(items.tags, [1, 2])),
    },
  }
})
