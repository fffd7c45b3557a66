/** `lakebase token`: prints a database token. */

import type { Command } from 'commander'
import { addTokenFlags, connectionOptions, type ConnectionFlags } from '../connection-flags.js'
import { printResult } from '../output.js'
import { subcommand } from '../program.js'

export function token(program: Command): void {
  const command = subcommand(program, 'token', 'Print a database token: a password for PostgreSQL that is good for an hour.', [
    ['lakebase token', 'print a token of LAKEBASE_ENDPOINT'],
    ['lakebase token --json', 'print it with its expiry'],
  ])
  addTokenFlags(command).action(run)
}

async function run(flags: ConnectionFlags): Promise<void> {
  const { getCredential } = require('../../lakebase.js') as typeof import('../../lakebase.js')
  const { token, expiresAt } = await getCredential(connectionOptions(flags))
  printResult({ token, expiresAt }, () => token)
}
