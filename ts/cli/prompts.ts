/** Questions on a terminal. */

import { exitCodes, Failure } from './failure.js'

export interface Choice<Value> {
  value: Value
  label: string
  hint?: string
}

/** The answer to a question with several; `initial` is the one to begin with. Throws where it is cancelled. */
export async function select<Value>(message: string, choices: Choice<Value>[], initial: Value | undefined): Promise<Value> {
  const { isCancel, select: ask } = await prompts()
  const options = choices as Parameters<typeof ask<Value>>[0]['options']
  const answer = await ask<Value>({ message, options, maxItems: 12, ...(initial !== undefined && { initialValue: initial }) })
  if (isCancel(answer)) throw cancelled()
  return answer as Value
}

/** Whether the answer is yes. Throws where it is cancelled. */
export async function confirm(message: string): Promise<boolean> {
  const { confirm: ask, isCancel } = await prompts()
  const answer = await ask({ message })
  if (isCancel(answer)) throw cancelled()
  return answer
}

function prompts(): Promise<typeof import('@clack/prompts', { with: { 'resolution-mode': 'import' } })> {
  const { styleText } = require('node:util') as { styleText?: unknown }
  if (styleText) return import('@clack/prompts')
  throw new Failure('questions need Node.js 20.12 or newer', { exitCode: exitCodes.usage, code: 'NODE_VERSION', hint: 'answer them with flags: see lakebase <command> --help' })
}

const cancelled = (): Failure => new Failure('cancelled; nothing was written', { exitCode: exitCodes.interrupted, code: 'CANCELLED' })
