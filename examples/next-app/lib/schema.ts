import { integer, pgTable, text, timestamp } from 'drizzle-orm/pg-core'

export const items = pgTable('items', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  name: text().notNull(),
  quantity: integer().notNull(),
  updatedAt: timestamp('updated_at', { withTimezone: true }).notNull().defaultNow(),
})

export type Item = typeof items.$inferSelect
