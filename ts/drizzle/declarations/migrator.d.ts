/** `lakebase-native/drizzle/migrator`, for drizzle-orm 0.45 and 1.0. */

import type { MigrationConfig } from 'drizzle-orm/migrator'
// @ts-ignore: drizzle-orm 1.0
import type { MigratorInitFailResponse } from 'drizzle-orm/migrator'
import type { LakebaseDatabase } from './index.js'

/**
 * Runs the migrations that drizzle-kit has generated and that the database has not seen, in one transaction. Nothing locks: let one
 * process at a time migrate.
 */
export declare function migrate(
  db: LakebaseDatabase<any>,
  config: MigrationConfig,
): Promise<symbol extends keyof MigratorInitFailResponse ? void : void | MigratorInitFailResponse>
