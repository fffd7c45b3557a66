/** What all commands have in common in their help and their flags. */

import { type Command, Help, Option } from 'commander'

/** An example of `--help`: the line to type, and what it does. */
export type Example = readonly [line: string, does: string]

/** A command with the flags that every command takes, and with examples in its help. */
export function subcommand(program: Command, name: string, description: string, examples: readonly Example[]): Command {
  const width = Math.max(...examples.map(([line]) => line.length))
  const lines = examples.map(([line, does]) => `  $ ${line.padEnd(width)}  ${does}`)
  return program
    .command(name)
    .description(description)
    .addOption(dotenvOption())
    .addOption(common('--no-dotenv', 'read no such file'))
    .addOption(common('--json', 'print JSON, for scripts'))
    .addOption(common('--no-color', 'print no colours, as with NO_COLOR or where the output is no terminal'))
    .addHelpOption(common('--help', 'print help'))
    .configureHelp({ groupItems: commonLast })
    .addHelpText('after', `\nExamples:\n${lines.join('\n')}\n\nExit codes: 0 success, 1 the command's own failure, 2 wrong arguments, 3 configuration, 4 authentication,\n5 connection, 6 PostgreSQL's error, 130 interrupted.`)
}

const COMMON = 'Common options:'
const common = (flags: string, description: string): Option => new Option(flags, description).helpGroup(COMMON)

/** A command's own flags come first in its help. */
function commonLast<T extends Command | Option>(all: T[], visible: T[], groupOf: (item: T) => string): Map<string, T[]> {
  const groups = Help.prototype.groupItems(all, visible, groupOf) as Map<string, T[]>
  const last = groups.get(COMMON)
  return new Map([...[...groups].filter(([name]) => name !== COMMON), ...(last ? [[COMMON, last] as const] : [])])
}

/** Not `--env-file`, which Node.js 20 takes for its own wherever it stands. */
function dotenvOption(): Option {
  return common('--dotenv <file>', 'read variables from this file; may be repeated (default: .env.local, then .env)').argParser(
    (file: string, files: string[] | undefined) => [...(files ?? []), file],
  )
}
