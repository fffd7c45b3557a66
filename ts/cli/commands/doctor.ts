/** `lakebase doctor`: checks the connection step by step. */

import type { Command } from 'commander'
import { addConnectionFlags, connectionOptions, type ConnectionFlags } from '../connection-flags.js'
import { exitCodes } from '../failure.js'
import { hanging, paint, print, printResult, wantsJson, type Style } from '../output.js'
import { subcommand } from '../subcommand.js'
import type { Status, Step } from '../doctor/step.js'

export function doctor(program: Command): void {
  const command = subcommand(program, 'doctor', 'Check everything from the variables to the privileges in the database; say what is wrong and what mends it.', [
    ['lakebase doctor', 'check what the environment and .env.local say'],
    ['lakebase doctor --json > doctor.json', 'for a support ticket: it holds no secret'],
  ])
  addConnectionFlags(command).action(run)
}

const MARKS: Record<Status, readonly [mark: string, style: Style]> = {
  ok: ['✓', 'green'],
  warning: ['!', 'yellow'],
  failure: ['✗', 'red'],
  skipped: ['-', 'dim'],
}

async function run(flags: ConnectionFlags): Promise<void> {
  const { prepare } = require('../doctor/checks.js') as typeof import('../doctor/checks.js')
  const { examine } = require('../doctor/step.js') as typeof import('../doctor/step.js')
  const examination = prepare(connectionOptions(flags))
  const width = Math.max(...examination.checks.map(({ name }) => name.length))
  const show = (step: Step): void => (wantsJson() ? undefined : print(lineOf(step, width)))
  const steps = await examine(examination.checks, examination.explain, show)
  await examination.end()

  const count = (status: Status): number => steps.filter((step) => step.status === status).length
  const failures = count('failure')
  if (failures > 0) process.exitCode = exitCodes.failure
  const { versions } = examination
  printResult({ ok: failures === 0, steps, versions }, () => {
    const summary = failures > 0 ? paint('red', `${failures} failed`) : paint('green', 'everything works')
    const warnings = count('warning')
    const told = Object.entries(versions).map(([name, version]) => `${name} ${version}`)
    return `\n${summary}${warnings > 0 ? `, ${warnings} to look at` : ''}  ${paint('dim', told.join(', '))}`
  })
}

function lineOf({ name, status, millis, detail, cause, fix }: Step, width: number): string {
  const [mark, style] = MARKS[status]
  const time = status === 'skipped' ? '' : `${millis} ms`
  const column = width + 14
  const indent = ' '.repeat(column)
  const lines = [`${paint(style, mark)} ${name.padEnd(width)}  ${paint('dim', time.padStart(8))}  ${hanging(detail, column)}`]
  if (cause !== undefined) lines.push(`${indent}${paint('dim', 'cause')}  ${hanging(cause, column + 7)}`)
  // In one piece, to be copied.
  if (fix !== undefined) lines.push(`${indent}${paint('cyan', 'fix')}    ${fix}`)
  return lines.join('\n')
}
