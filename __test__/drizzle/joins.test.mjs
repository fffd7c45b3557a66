// Joins: which rows meet, and which objects are null.
import { compare } from './support/comparison.mjs'

compare(({ orm, core }) => {
  const { eq, sql, gt, and, asc } = orm
  const { pgTable, integer, text, alias } = core
  const users = pgTable('users', { id: integer().primaryKey(), name: text(), cityId: integer('city_id') })
  const cities = pgTable('cities', { id: integer().primaryKey(), name: text(), region: text() })
  const left = (db) => db.select().from(users).leftJoin(cities, eq(users.cityId, cities.id)).orderBy(users.id)
  return {
    setup: `
      create table users (id int primary key, name text, city_id int);
      create table cities (id int primary key, name text, region text);
      insert into users select i, case when i % 5 > 0 then 'user ' || i end, nullif(i % 4, 0) from generate_series(1, 20) i;
      insert into cities values (1, 'Paris', null), (2, null, 'Lazio'), (7, 'Oslo', 'Oslo')`,
    run: {
      'inner join': (db) => db.select().from(users).innerJoin(cities, eq(users.cityId, cities.id)).orderBy(users.id),
      'left join': (db) => left(db),
      'left join, few rows': (db) => left(db).limit(3),
      'right join': (db) => db.select().from(users).rightJoin(cities, eq(users.cityId, cities.id)).orderBy(cities.id, users.id),
      'full join': (db) => db.select().from(users).fullJoin(cities, eq(users.cityId, cities.id)).orderBy(cities.id, users.id),
      'cross join': (db) => db.select().from(users).crossJoin(cities).orderBy(users.id, cities.id),
      'left join, columns of one table in two objects': (db) =>
        db
          .select({ id: users.id, city: { name: cities.name, id: cities.id }, mixed: { user: users.name, city: cities.region } })
          .from(users)
          .leftJoin(cities, eq(users.cityId, cities.id))
          .orderBy(users.id),
      // Drizzle looks at the first column of the object alone.
      'left join, whose first column is null in a row that is there': (db) =>
        db
          .select({ id: users.id, city: { region: cities.region, id: cities.id } })
          .from(users)
          .leftJoin(cities, eq(users.cityId, cities.id))
          .orderBy(users.id),
      'left join, an expression in the object': (db) =>
        db
          .select({ id: users.id, city: { upper: sql`upper(${cities.name})`, id: cities.id } })
          .from(users)
          .leftJoin(cities, eq(users.cityId, cities.id))
          .orderBy(users.id),
      'left join, deeper objects': (db) =>
        db
          .select({ a: { b: { id: users.id, name: cities.name }, city: cities.id }, last: users.name })
          .from(users)
          .leftJoin(cities, eq(users.cityId, cities.id))
          .orderBy(users.id),
      'a table with itself': (db) => {
        const others = alias(users, 'others')
        return db
          .select()
          .from(users)
          .leftJoin(others, and(eq(users.cityId, others.cityId), gt(others.id, users.id)))
          .orderBy(asc(users.id), asc(others.id))
      },
      'a subquery': (db) => {
        const named = db.select({ id: cities.id, name: cities.name, upper: sql`upper(${cities.name})`.as('upper') }).from(cities).as('named')
        return db.select().from(users).leftJoin(named, eq(users.cityId, named.id)).orderBy(users.id)
      },
      'lateral joins': (db) => {
        const theirs = db.select({ name: cities.name }).from(cities).where(eq(cities.id, users.cityId)).as('theirs')
        return db.select().from(users).leftJoinLateral(theirs, sql`true`).orderBy(users.id)
      },
    },
  }
})
