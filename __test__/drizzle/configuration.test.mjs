// Drizzle's own configuration: logger, casing, cache, and databases of several replicas.
import { compare } from './support/comparison.mjs'

compare(({ orm, core, cache: { Cache }, name }) => {
  const { eq, sql } = orm
  const items = core.pgTable('items', { id: core.integer().primaryKey(), name: core.text() })
  const setup = "create table items (id int primary key, name text); insert into items values (1, 'one'), (2, 'two')"

  /** Keeps everything, and notes what it is asked. */
  class Kept extends Cache {
    kept = new Map()
    constructor(lines, strategy) {
      super()
      this.lines = lines
      this.strategy = () => strategy
    }
    async get(key, tables, isTag, isAuto) {
      this.lines.push(['get', isTag ? key : key.length, tables, isTag, isAuto, this.kept.has(key)])
      return this.kept.get(key)
    }
    async put(key, response, tables, isTag, config) {
      this.lines.push(['put', isTag ? key : key.length, tables, isTag, config])
      this.kept.set(key, response)
    }
    async onMutate(params) {
      this.lines.push(['onMutate', Object.keys(params).sort().map((key) => [key, params[key]])])
      this.kept.clear()
    }
  }
  const cached = (strategy) => (db, { drizzle, lines }) => {
    const kept = drizzle({ cache: new Kept(lines, strategy) })
    return async (program) => [await program(kept), lines]
  }

  return {
    setup,
    config: (lines) => ({ logger: { logQuery: (text, params) => lines.push([text, params]) } }),
    run: {
      'a logger': async (db, { lines }) => {
        await db.select().from(items).where(eq(items.id, 1))
        await db.insert(items).values({ id: 3, name: null })
        await db.execute(sql`select ${'x'}`)
        await db.$count(items)
        await db.select().from(items).where(eq(items.id, sql.placeholder('id'))).prepare('logged').execute({ id: 2 })
        return lines
      },
      'logger: true': async (_db, { drizzle }) => {
        const lines = []
        const { log } = console
        console.log = (...values) => lines.push(values)
        try {
          await drizzle({ logger: true }).select().from(items).where(eq(items.id, 1))
        } finally {
          console.log = log
        }
        return lines
      },
      'a cache for the queries that ask for it': (db, tools) =>
        cached('explicit')(db, tools)(async (kept) => [
          await kept.select().from(items).orderBy(items.id),
          await kept.select().from(items).orderBy(items.id).$withCache(),
          await kept.select().from(items).orderBy(items.id).$withCache(),
          await kept.select().from(items).orderBy(items.id).$withCache({ tag: 'all', config: { ex: 1 } }),
          await kept.insert(items).values({ id: 3 }),
          await kept.select().from(items).orderBy(items.id).$withCache({ autoInvalidate: false }),
        ]),
      'a cache for all queries': (db, tools) =>
        cached('all')(db, tools)(async (kept) => [
          await kept.select().from(items).orderBy(items.id),
          await kept.select().from(items).orderBy(items.id),
          await kept.select().from(items).orderBy(items.id).$withCache(false),
          await kept.update(items).set({ name: 'x' }).where(eq(items.id, 1)).returning(),
          await kept.select().from(items).orderBy(items.id),
          await kept.execute(sql`select 1 as one`),
        ]),
      'a cache is invalidated by hand': (db, tools) =>
        cached('explicit')(db, tools)(async (kept) => {
          await kept.select().from(items).$withCache({ tag: 'some' })
          await kept.$cache.invalidate({ tags: 'some', tables: items })
          return kept.select().from(items).orderBy(items.id).$withCache({ tag: 'some' })
        }),
      'error: with a cache': (db, tools) => cached('all')(db, tools)((kept) => kept.select({ n: sql`1 / 0` }).from(items)),
      'replicas': async (db, { drizzle }) => {
        const lines = []
        const named = (who) => drizzle({ logger: { logQuery: (text) => lines.push([who, text]) } })
        let next = 0
        const both = core.withReplicas(named('primary'), [named('first'), named('second')], (replicas) => replicas[next++ % 2])
        await both.select().from(items)
        await both.select().from(items)
        await both.insert(items).values({ id: 9 })
        await both.$primary.select().from(items)
        await both.transaction((tx) => tx.delete(items))
        if (name === '1.0') await both.$replica.select().from(items)
        return lines
      },
      ...(name === '0.45' && {
        'casing: snake_case': async (_db, { drizzle }) => {
          const people = core.pgTable('people', { id: core.integer().primaryKey(), firstName: core.text(), lastSeenAt: core.timestamp() })
          const db = drizzle({ casing: 'snake_case' })
          await db.execute(sql`create table people (id int primary key, first_name text, last_seen_at timestamp)`)
          await db.insert(people).values({ id: 1, firstName: 'Ada', lastSeenAt: new Date(0) })
          return [await db.select().from(people).where(eq(people.firstName, 'Ada')), await db.update(people).set({ firstName: 'Eve' }).returning()]
        },
        'casing: camelCase': async (_db, { drizzle }) => {
          const people = core.pgTable('people', { id: core.integer().primaryKey(), first_name: core.text() })
          const db = drizzle({ casing: 'camelCase' })
          await db.execute(sql`create table people (id int primary key, "firstName" text)`)
          return db.insert(people).values({ id: 1, first_name: 'Ada' }).returning()
        },
      }),
      ...(name === '1.0' && {
        'casing of tables': async (db) => {
          const people = core.snakeCase.table('people', { id: core.integer().primaryKey(), firstName: core.text() })
          await db.execute(sql`create table people (id int primary key, first_name text)`)
          return db.insert(people).values({ id: 1, firstName: 'Ada' }).returning()
        },
        'error: with its parameters': (_db, { drizzle }) => drizzle({ paramsInErrors: true }).execute(sql`select 1 / ${0}::int`),
        'jit: true': (_db, { drizzle }) => drizzle({ jit: true }).select().from(items).orderBy(items.id),
        'jit: false': (_db, { drizzle }) => drizzle({ jit: false }).select().from(items).orderBy(items.id),
        'codecs of its own': (_db, { drizzle }) => {
          const codecs = core.refineGenericPgCodecs({ text: { normalize: (text) => `<${text}>` } })
          return drizzle({ codecs }).select().from(items).orderBy(items.id)
        },
      }),
    },
  }
})
