/** `lakebase exec -- <command>`: runs a command with a fresh login in its environment. */

import type { Command } from 'commander'
import { addConnectionFlags, connectionOptions, type ConnectionFlags } from '../connection-flags.js'
import { exitCodes, Failure } from '../failure.js'
import { subcommand } from '../subcommand.js'

export function exec(program: Command): void {
  const command = subcommand(program, 'exec', 'Run a command with a fresh DATABASE_URL and PG* variables in its environment.', [
    ['lakebase exec -- npx drizzle-kit migrate', 'drizzle-kit with a login that works'],
    ['lakebase exec -- psql', 'a session'],
    ["lakebase exec -- sh -c 'pg_dump | gzip > backup.sql.gz'", 'a backup'],
    ['lakebase exec -- npx prisma db pull', 'a Prisma schema'],
  ]).argument('<command...>', 'the command and its arguments; after --, so that its flags are its own')
  addConnectionFlags(command).passThroughOptions().action(run)
}

async function run([file, ...args]: [string, ...string[]], flags: ConnectionFlags): Promise<void> {
  const { loginVariables } = require('../login-variables.js') as typeof import('../login-variables.js')
  const { runChild } = require('../child.js') as typeof import('../child.js')
  const login = await loginVariables(connectionOptions(flags))
  try {
    process.exitCode = await runChild(file, args, { ...process.env, ...login.variables })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new Failure(`there is no command ${file}`, { exitCode: exitCodes.notFound, code })
    throw new Failure(`${file} cannot be run: ${code ?? String(error)}`, { exitCode: exitCodes.notExecutable, cause: error, ...(code && { code }) })
  } finally {
    login.end()
  }
}
