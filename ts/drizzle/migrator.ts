/** `lakebase-native/drizzle/migrator`: runs the migrations that drizzle-kit has generated. */

import { readMigrationFiles, type MigrationConfig } from 'drizzle-orm/migrator'
import { isVersion1 } from './orm.js'
import * as version0 from './version-0.js'
import * as version1 from './version-1.js'

type Migrate = (db: object, migrations: unknown[], config: MigrationConfig) => Promise<unknown>

export async function migrate(db: object, config: MigrationConfig): Promise<unknown> {
  const run = (isVersion1 ? version1.migrate : version0.migrate) as Migrate
  return run(db, readMigrationFiles(config), config)
}
