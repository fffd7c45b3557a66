/** `lakebase migrate`: applies a folder of migrations. */

import type { Command } from 'commander'
import { addConnectionFlags, connectionOptions, type ConnectionFlags } from '../connection-flags.js'
import { exitCodes, Failure } from '../failure.js'
import { note, paint, printResult } from '../output.js'
import { subcommand } from '../subcommand.js'

interface Flags extends ConnectionFlags {
  wait: string
  dryRun?: true
}

export function migrate(program: Command): void {
  const command = subcommand(program, 'migrate', "Apply a folder of SQL files or Drizzle's migrations, each once, with a fresh login and under a lock.", [
    ['lakebase migrate', 'apply what is new in ./drizzle or ./migrations'],
    ['lakebase migrate db/migrations --dry-run', 'list what is new'],
    ['lakebase migrate && next build', 'the build command on Vercel'],
  ])
    .argument('[folder]', "SQL files, applied by name, or what drizzle-kit generated (default: drizzle, then migrations)")
    .option('--wait <seconds>', 'how long to wait for another migration of the same database', '60')
    .option('--dry-run', 'list what would be applied, and apply nothing')
  addConnectionFlags(command).action(run)
}

async function run(given: string | undefined, flags: Flags): Promise<void> {
  const waitMillis = Number(flags.wait) * 1000
  if (!(waitMillis >= 0)) throw new Failure('--wait expects a number of seconds', { exitCode: exitCodes.usage, code: 'USAGE' })
  const { readFolder } = require('../migrate/folder.js') as typeof import('../migrate/folder.js')
  const { applyMigrations } = require('../migrate/apply.js') as typeof import('../migrate/apply.js')
  const { createLakebasePool } = require('../../lakebase.js') as typeof import('../../lakebase.js')
  const folder = readFolder(given)
  const pool = createLakebasePool({ ...connectionOptions(flags), max: 1 })
  // A connection that is lost is the failure of what runs on it.
  pool.on('error', () => {})
  try {
    const client = await pool.connect()
    const progress = {
      waiting: () => note('another migration is running; waiting for it to end'),
      applied: ({ name, millis }: { name: string; millis: number }) => note(`${paint('green', 'applied', process.stderr)} ${name} in ${millis} ms`),
    }
    try {
      const applied = await applyMigrations(client, folder, { waitMillis, dryRun: Boolean(flags.dryRun), progress })
      const known = folder.migrations.length - applied.length
      const names = applied.map(({ name }) => name)
      const result = { folder: folder.path, format: folder.format, [flags.dryRun ? 'pending' : 'applied']: flags.dryRun ? names : applied, known }
      printResult(result, () => (flags.dryRun ? names.join('\n') || 'nothing to apply' : `${applied.length} applied, ${known} there before`))
    } finally {
      client.release(true)
    }
  } finally {
    await pool.end()
  }
}
