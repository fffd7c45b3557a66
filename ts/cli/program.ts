/** The parser of the command line: which commands there are, what all of them take, and how each ends. */

import { Command, CommanderError } from 'commander'
import { loadEnvironmentFiles } from './environment-files.js'
import { exitCodes, exitCodeOf, Failure } from './failure.js'
import { colourless, configureOutput, printFailure } from './output.js'

/** Adds a command to the parser. What the command needs to run is required when it runs, not when it is added. */
export type Register = (program: Command) => void

/** By name, so that only the command that runs is loaded. Help and completion load all. */
const commands: Record<string, () => Register> = {
  init: () => (require('./commands/init.js') as typeof import('./commands/init.js')).init,
  exec: () => (require('./commands/exec.js') as typeof import('./commands/exec.js')).exec,
  bench: () => (require('./commands/bench.js') as typeof import('./commands/bench.js')).bench,
  dev: () => (require('./commands/dev.js') as typeof import('./commands/dev.js')).dev,
  proxy: () => (require('./commands/proxy.js') as typeof import('./commands/proxy.js')).proxy,
  migrate: () => (require('./commands/migrate.js') as typeof import('./commands/migrate.js')).migrate,
  doctor: () => (require('./commands/doctor.js') as typeof import('./commands/doctor.js')).doctor,
  token: () => (require('./commands/token.js') as typeof import('./commands/token.js')).token,
  completion: () => (require('./commands/completion.js') as typeof import('./commands/completion.js')).completion,
}

/** What every command takes. */
export interface CommonFlags {
  json?: boolean
  color: boolean
  dotenv?: string[] | false
}

/** Runs the command line to its end and sets the process's exit code. */
export async function run(args: string[]): Promise<void> {
  try {
    await parser(args).parseAsync(args, { from: 'user' })
  } catch (error) {
    end(error)
  }
}

/** The parser, with the one command that `args` name or, where they name none, with all. */
export function parser(args: readonly string[]): Command {
  const program = new Command('lakebase')
    .description('Databricks Lakebase from nothing to connected: variables, tokens, tools and migrations, and a Lakebase on this machine.')
    .version(version(), '--version', 'print the version')
    .helpOption('--help', 'print help')
    .helpCommand('help [command]', 'print help of a command')
    .showSuggestionAfterError()
    .exitOverride()
    // Errors are printed once, in `end`.
    .configureOutput({ outputError: () => {} })
    .enablePositionalOptions()
  const named = Object.hasOwn(commands, args[0] ?? '') ? commands[args[0]!] : undefined
  for (const command of named && args[0] !== 'completion' ? [named] : Object.values(commands)) command()(program)
  program.hook('preAction', (_, command) => {
    const { json, color, dotenv } = command.opts<CommonFlags>()
    configureOutput({ json: Boolean(json), ...(!color && colourless) })
    loadEnvironmentFiles(dotenv)
  })
  return program
}

function end(error: unknown): void {
  if (error instanceof CommanderError) {
    // Help and version that were asked for.
    if (error.exitCode === 0) return
    process.exitCode = exitCodes.usage
    // Without a command, help was printed instead.
    if (error.code === 'commander.help') return
    printFailure(new Failure(error.message.replace(/^error: /, ''), { exitCode: exitCodes.usage, code: 'USAGE', hint: 'lakebase --help lists commands, lakebase <command> --help its arguments' }))
    return
  }
  process.exitCode = exitCodeOf(error)
  printFailure(error)
}

function version(): string {
  return (require('../../package.json') as { version: string }).version
}

