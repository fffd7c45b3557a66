// Transactions: what is kept, on which connection, with which modes, and what errors do.
import { compare } from './support/comparison.mjs'

compare(({ orm, core }) => {
  const { eq, sql } = orm
  const items = core.pgTable('items', { id: core.integer().primaryKey(), name: core.text() })
  const all = (db) => db.select().from(items).orderBy(items.id)
  const failed = (work) => work.then(() => 'no error', (error) => error)
  const modes = sql`select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as read_only,
    current_setting('transaction_deferrable') as "deferrable"`
  return {
    setup: "create table items (id int primary key, name text); insert into items values (1, 'one')",
    config: (lines) => ({ logger: { logQuery: (text, params) => lines.push([text, params]) } }),
    run: {
      'its result': (db) => db.transaction(async (tx) => (await tx.insert(items).values({ id: 2 }).returning())[0].id),
      'it is committed': async (db, { lines }) => {
        await db.transaction(async (tx) => {
          await tx.insert(items).values({ id: 2, name: 'two' })
          await tx.update(items).set({ name: 'uno' }).where(eq(items.id, 1))
        })
        return [await all(db), lines]
      },
      'one connection, whose changes only it sees': (db) =>
        db.transaction(async (tx) => {
          const pid = () => tx.execute(sql`select pg_backend_pid() as pid`).then(({ rows }) => rows[0].pid)
          const pids = [await pid(), await pid()]
          await tx.insert(items).values({ id: 2 })
          return [pids[0] === pids[1], await all(tx), await all(db)]
        }),
      'an error rolls back, and is thrown': async (db, { lines }) => {
        const error = await failed(db.transaction(async (tx) => {
          await tx.insert(items).values({ id: 2 })
          throw new Error('mine')
        }))
        return [error, await all(db), lines]
      },
      'a failed query rolls back': async (db, { lines }) => {
        const error = await failed(db.transaction(async (tx) => {
          await tx.insert(items).values({ id: 2 })
          await tx.insert(items).values({ id: 1 })
        }))
        return [error, await all(db), lines]
      },
      'a failed query that is caught': async (db) => {
        const error = await failed(db.transaction(async (tx) => {
          await tx.insert(items).values({ id: 2 })
          await failed(tx.insert(items).values({ id: 1 }).execute())
          return failed(tx.select().from(items).execute())
        }))
        return [error, await all(db)]
      },
      'rollback()': async (db) => {
        const error = await failed(db.transaction(async (tx) => {
          await tx.insert(items).values({ id: 2 })
          tx.rollback()
        }))
        return [error, await all(db)]
      },
      'a constraint that COMMIT checks': async (db, { lines }) => {
        await db.execute(sql`create table later (id int references items deferrable initially deferred)`)
        return [await failed(db.transaction((tx) => tx.execute(sql`insert into later values (99)`))), lines, (await db.execute(sql`select * from later`)).rows]
      },
      'nested: a savepoint': async (db, { lines }) => {
        await db.transaction(async (tx) => {
          await tx.insert(items).values({ id: 2 })
          await tx.transaction(async (inner) => {
            await inner.insert(items).values({ id: 3 })
            await inner.transaction((innermost) => innermost.insert(items).values({ id: 4 }))
          })
        })
        return [await all(db), lines]
      },
      'nested: rolled back, the rest is kept': async (db, { lines }) => {
        const errors = await db.transaction(async (tx) => {
          await tx.insert(items).values({ id: 2 })
          const first = await failed(tx.transaction(async (inner) => {
            await inner.insert(items).values({ id: 3 })
            inner.rollback()
          }))
          const second = await failed(tx.transaction((inner) => inner.insert(items).values({ id: 1 })))
          await tx.insert(items).values({ id: 5 })
          return [first, second]
        })
        return [errors, await all(db), lines]
      },
      'isolation level': async (db, { lines }) => {
        const levels = ['read uncommitted', 'read committed', 'repeatable read', 'serializable']
        const seen = []
        for (const isolationLevel of levels) seen.push((await db.transaction((tx) => tx.execute(modes), { isolationLevel })).rows)
        return [seen, lines]
      },
      'access mode': async (db) => {
        const write = (accessMode) => failed(db.transaction((tx) => tx.insert(items).values({ id: 2 }).returning(), { accessMode }))
        return [await write('read only'), await all(db), await write('read write'), await all(db)]
      },
      deferrable: async (db, { lines }) => {
        const config = { isolationLevel: 'serializable', accessMode: 'read only' }
        const seen = [true, false].map((deferrable) => db.transaction((tx) => tx.execute(modes), { ...config, deferrable }).then(({ rows }) => rows))
        return [await Promise.all(seen), lines.map(([text]) => text).sort()]
      },
      'set transaction': (db) =>
        db.transaction(async (tx) => {
          await tx.setTransaction({ isolationLevel: 'serializable', accessMode: 'read only' })
          return (await tx.execute(modes)).rows
        }),
      'every connection is given back': async (db, { client }) => {
        for (let i = 0; i < 5; i++) await failed(db.transaction((tx) => (i % 2 ? tx.rollback() : tx.select().from(items))))
        return client.idleCount === client.totalCount
      },
      'on a client': async (_db, { client, drizzle }) => {
        const own = await client.connect()
        try {
          const db = drizzle({ client: own })
          const pid = async (on) => (await on.execute(sql`select pg_backend_pid() as pid`)).rows[0].pid
          const same = await db.transaction(async (tx) => [await pid(db), await pid(tx), (await tx.insert(items).values({ id: 2 }).returning())[0].id])
          return [same[0] === same[1], await all(db), db.$client === own]
        } finally {
          own.release()
        }
      },
      'transactions that wait for each other’s rows': async (db) => {
        await db.insert(items).values({ id: 2, name: 'two' })
        const add = (id) => db.transaction(async (tx) => {
          const [row] = await tx.select().from(items).where(eq(items.id, id)).for('update')
          return tx.update(items).set({ name: `${row.name}!` }).where(eq(items.id, id)).returning()
        })
        await Promise.all([add(1), add(2), add(1), add(2)])
        return all(db)
      },
    },
  }
})
