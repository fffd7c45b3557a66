/** Drizzle's select on its driver for node-postgres with pg, and on ours. */

import { ROW_COLUMNS } from '../tables.mjs'

/** The rows of a Drizzle query as a statement of the driver's pool. */
async function prepare(driver, pool, limit) {
  const { asc, gt } = await import('drizzle-orm')
  const { boolean, integer, jsonb, numeric, pgTable, text, timestamp } = await import('drizzle-orm/pg-core')
  const { drizzle } = await import(driver === 'ours' ? 'lakebase-native/drizzle' : 'drizzle-orm/node-postgres')
  const rows = pgTable('bench_row', {
    id: integer().primaryKey(),
    name: text().notNull(),
    amount: numeric({ precision: 12, scale: 2 }).notNull(),
    active: boolean().notNull(),
    quantity: integer(),
    createdAt: timestamp('created_at', { withTimezone: true }).notNull(),
    document: jsonb().notNull(),
  })
  const db = drizzle({ client: pool.client })
  /** @param {unknown[]} values */
  return ([id]) =>
    db
      .select()
      .from(rows)
      .where(gt(rows.id, /** @type {number} */ (id)))
      .orderBy(asc(rows.id))
      .limit(limit)
      .then((found) => ({ rows: found }))
}

/**
 * @param {number} count
 * @returns {import('./index.mjs').Scenario}
 */
const rows = (count) => ({
  name: `drizzle-${count}`,
  title: `Drizzle: ${count.toLocaleString('en')} row${count === 1 ? '' : 's'} × 7 columns, 10 in flight, pool of 10`,
  notes: ['db.select() of drizzle-orm 0.45, with drizzle-orm/node-postgres on pg and with lakebase-native/drizzle.'],
  drivers: ['ours', 'pg'],
  query: {
    text: `SELECT ${ROW_COLUMNS} FROM bench_row WHERE id > $1 ORDER BY id LIMIT ${count}`,
    prepare: (driver, pool) => prepare(driver, pool, count),
    values: (n) => [(n % 8) * 10_000],
    callers: 10,
    check: [[0], [50_000]],
  },
  targets: count === 1 ? [] : [{ column: 'perSecond', against: 'pg', atLeast: 1.5 }],
})

export default [rows(1), rows(1_000)]
