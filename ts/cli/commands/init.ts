/** `lakebase init`: from an identity of the workspace to a working .env.local. */

import type { Command } from 'commander'
import { addIdentityFlags, type ConnectionFlags } from '../connection-flags.js'
import { note, paint, print, printResult, wantsJson } from '../output.js'
import { subcommand } from '../subcommand.js'
import type { TargetFlags } from '../init/target.js'

interface Flags extends ConnectionFlags, TargetFlags {
  file: string
  example: string | false
  dryRun?: true
  withSecrets?: true
  writeCode?: true
}

export function init(program: Command): void {
  const command = subcommand(program, 'init', 'Choose a database of the workspace and write the variables that connect to it.', [
    ['lakebase init', 'ask what is to choose, and write .env.local'],
    ['lakebase init --profile work --dry-run', 'show what would change'],
    ['lakebase init --project shop --branch production', 'ask nothing'],
    ['lakebase init --instance orders', 'a Provisioned instance'],
  ])
    .option('--project <id>', 'the project')
    .option('--branch <id>', "its branch (default: the project's default branch)")
    .option('--endpoint <name>', 'the endpoint, by id or full name (default: the one that reads and writes)')
    .option('--instance <name>', 'a Provisioned instance instead')
    .option('--database <name>', 'the database (default: databricks_postgres, or the only one)')
    .option('--user <name>', 'the PostgreSQL role (default: who the workspace says you are)')
    .option('--file <file>', 'the file to write', '.env.local')
    .option('--example <file>', 'the file with the names of the variables, to commit', '.env.example')
    .option('--no-example', 'write no such file')
    .option('--with-secrets', 'also write secrets of the identity that are in the environment now')
    .option('--write-code', 'write the code that the frameworks in package.json need, where no such file is')
    .option('--dry-run', 'show what would change, and write nothing')
  addIdentityFlags(command).action(run)
}

async function run(flags: Flags): Promise<void> {
  const { readIfThere, rewrite } = require('../atomic-write.js') as typeof import('../atomic-write.js')
  const { mergeVariables, parseVariables } = require('../variables-file.js') as typeof import('../variables-file.js')
  const { gatherVariables, exampleText } = require('../init/variables.js') as typeof import('../init/variables.js')
  const { adviceFor, detectFrameworks, writeCode } = require('../init/code.js') as typeof import('../init/code.js')

  const { variables, keptOut, open, unset } = await gatherVariables(flags)
  const files = [{ file: flags.file, mode: 0o600, change: (text: string) => mergeVariables(text, { ...variables, [unset]: null }) }]
  if (flags.example !== false) files.push({ file: flags.example, mode: 0o644, change: (text: string) => exampleText(text, [...Object.keys(variables), ...keptOut]) })

  if (flags.dryRun) {
    const { diff } = require('../init/diff.js') as typeof import('../init/diff.js')
    const diffs = files.map(({ file, change }) => {
      const before = readIfThere(file)
      return diff(file, before, change(before ?? ''))
    })
    printResult({ written: [], variables: open }, () => diffs.filter(Boolean).join('\n') || 'nothing would change')
    return
  }
  const written = files.filter(({ file, mode, change }) => rewrite(file, mode, change)).map(({ file }) => file)
  const advice = adviceFor(detectFrameworks(process.cwd()), process.cwd())
  const code = flags.writeCode ? writeCode(advice, process.cwd()) : []
  printResult({ written: [...written, ...code], variables: open, advice }, () => undefined)
  if (wantsJson()) return

  for (const file of [...written, ...code]) note(`${paint('green', 'wrote', process.stderr)} ${file}`)
  if (written.length === 0) note(`${flags.file} is as it should be already`)
  const there = parseVariables(readIfThere(flags.file) ?? '')
  for (const name of keptOut.filter((one) => !there.has(one))) note(`${paint('yellow', 'note', process.stderr)}  ${name} stays in the environment; --with-secrets writes it to ${flags.file}, too`)
  for (const { framework, file, text } of advice) {
    if (file !== undefined && code.includes(file)) continue
    print()
    print(paint('bold', file === undefined ? framework : `${framework}: ${file}`))
    print(text.trimEnd())
  }
  note(`\nnext: ${paint('cyan', 'npx lakebase doctor', process.stderr)} checks the connection step by step`)
}
