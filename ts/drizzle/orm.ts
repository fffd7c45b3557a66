/**
 * The installed drizzle-orm: 0.45 or 1.0, whose classes for PostgreSQL differ. What only one of them exports is looked up at run time, in
 * copies of the modules: an ES module cannot import a name that may be missing, and bundlers take `module.name` for a mistake, too.
 */

import * as orm from 'drizzle-orm'
import * as core from 'drizzle-orm/pg-core'
import type * as relations from 'drizzle-orm/relations'

/** In place of a class that the installed version does not have, so that the driver for the other one can be declared. */
class Absent {}

const installed: Record<string, unknown> = { ...core }

/** drizzle-orm 1.0 has `PgAsyncDatabase` where 0.45 has `PgDatabase`. */
export const isVersion1 = 'PgAsyncDatabase' in installed

/** drizzle-orm/pg-core of 0.45. */
export const core0 = { PgDatabase: Absent, PgPreparedQuery: Absent, PgTransaction: Absent, ...installed } as unknown as typeof core

/** drizzle-orm/pg-core of 1.0. */
export const core1 = {
  PgAsyncDatabase: Absent,
  PgAsyncPreparedQuery: Absent,
  PgAsyncSession: Absent,
  PgAsyncTransaction: Absent,
  ...installed,
} as unknown as typeof import('drizzle-orm-rc/pg-core')

/** Of drizzle-orm 0.45; some of it is left out of its declarations. */
export const orm0 = { ...orm } as unknown as typeof relations & {
  mapResultRow(fields: unknown[], row: unknown[], joins: Record<string, boolean> | undefined): unknown
}
