/** `lakebase token`: prints or writes a database token, or the workspace's. */

import type { Command } from 'commander'
import { addTokenFlags, connectionOptions, type ConnectionFlags } from '../connection-flags.js'
import { note, printResult } from '../output.js'
import { subcommand } from '../subcommand.js'

interface Flags extends ConnectionFlags {
  write?: string
  name?: string
  workspace?: true
}

interface Token {
  token: string
  expiresAt: Date | null
}

export function token(program: Command): void {
  const command = subcommand(program, 'token', 'Print or write a database token: a password for PostgreSQL that is good for an hour.', [
    ['lakebase token', 'print a token of LAKEBASE_ENDPOINT'],
    ['lakebase token --json', 'print it with its expiry'],
    ['lakebase token --write .env.local', 'set PGPASSWORD in .env.local'],
    ['lakebase token --workspace --write .env.local', 'set DATABRICKS_TOKEN to a new token of the Databricks CLI'],
  ])
    .option('--write <file>', 'set a variable in this file instead of printing the token; everything else in it stays')
    .option('--name <variable>', 'which variable (default: PGPASSWORD; with --workspace DATABRICKS_TOKEN)')
    .option('--workspace', "a token of the workspace's API instead, from the Databricks CLI or what --auth-type names")
  addTokenFlags(command).action(run)
}

async function run(flags: Flags): Promise<void> {
  const found = flags.workspace ? await workspaceToken(flags) : await databaseToken(flags)
  if (flags.write === undefined) return printResult(found, () => found.token)
  const { rewrite } = require('../atomic-write.js') as typeof import('../atomic-write.js')
  const { mergeVariables } = require('../variables-file.js') as typeof import('../variables-file.js')
  const variable = flags.name ?? (flags.workspace ? 'DATABRICKS_TOKEN' : 'PGPASSWORD')
  rewrite(flags.write, 0o600, (text) => mergeVariables(text, { [variable]: found.token }))
  const { expiresAt } = found
  printResult({ written: flags.write, variable, expiresAt }, () => undefined)
  note(`${flags.write}: ${variable} set${expiresAt ? `, good until ${expiresAt.toISOString()}` : ''}`)
}

async function databaseToken(flags: Flags): Promise<Token> {
  const { getCredential } = require('../../credential.js') as typeof import('../../credential.js')
  return getCredential(connectionOptions(flags))
}

async function workspaceToken(flags: Flags): Promise<Token> {
  const workspace = require('../workspace.js') as typeof import('../workspace.js')
  const { profile, databricksHost, authType = 'databricks-cli' } = connectionOptions(flags)
  const { token, expiresAt } = await workspace.me({ ...(profile && { profile }), ...(databricksHost && { databricksHost }), authType }, { token: true })
  return { token: token!, expiresAt: expiresAt === null ? null : new Date(expiresAt) }
}
