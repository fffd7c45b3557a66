/** What the commands print: colours on a terminal only, tables, JSON. Nothing here knows secrets; who prints one does so with `print`. */

import type { WriteStream } from 'node:tty'
import { Failure } from './failure.js'

interface Settings {
  json: boolean
  colour: boolean
}

const settings: Settings = { json: false, colour: true }

/** For `configureOutput`, where `--no-color` is given. */
export const colourless = { colour: false } as const

export function configureOutput(changes: Partial<Settings>): void {
  Object.assign(settings, changes)
}

/** Whether `--json` was given: standard output then has JSON and nothing else. */
export const wantsJson = (): boolean => settings.json

/** Whether somebody can answer questions. */
export const isInteractive = (): boolean => Boolean(process.stdin.isTTY && process.stdout.isTTY) && !settings.json && !process.env['CI']

/** Writes a line to standard output. */
export function print(line = ''): void {
  process.stdout.write(`${line}\n`)
}

/** Writes a line to standard error: what is not the command's result. Nothing with `--json`. */
export function note(line = ''): void {
  if (!settings.json) process.stderr.write(`${line}\n`)
}

/** Prints a result: as one line of JSON with `--json`, otherwise what `asText` gives. */
export function printResult(value: unknown, asText: () => string | undefined): void {
  if (settings.json) return print(JSON.stringify(value))
  const text = asText()
  if (text !== undefined) print(text)
}

/** Prints why a command failed, with what to do next: JSON to standard output with `--json`, otherwise text to standard error. */
export function printFailure(error: unknown): void {
  const { name, message, code, hint, problems } = describe(error)
  if (settings.json || (process.argv.includes('--json') && !process.argv.includes('--'))) {
    return print(JSON.stringify({ error: { name, message, code, hint, problems } }))
  }
  const lines = [`${paint('red', 'error', process.stderr)} ${message}`]
  if (hint !== undefined && !message.includes(hint)) lines.push(`${paint('cyan', 'hint', process.stderr)}  ${hint}`)
  process.stderr.write(`${lines.join('\n')}\n`)
}

function describe(error: unknown): { name: string; message: string; code?: string; hint?: string; problems?: unknown } {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) }
  const { code, hint, problems } = error as { code?: string; hint?: string; problems?: unknown }
  return { name: error instanceof Failure ? 'Error' : error.name, message: error.message, code, hint, problems }
}

const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39] } as const

export type Style = keyof typeof codes

/** The text in a colour, where `stream` shows colours: a terminal, without NO_COLOR and `--no-color`. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  if (!showsColours(stream)) return text
  const [on, off] = codes[style]
  return `\u001b[${on}m${text}\u001b[${off}m`
}

/** NO_COLOR (https://no-color.org) counts when it is not empty. */
export function showsColours(stream: NodeJS.WriteStream = process.stdout): boolean {
  if (!settings.colour || process.env['NO_COLOR']) return false
  return Boolean(stream.isTTY) && (stream as WriteStream).getColorDepth() > 1
}

/** A text that begins in column `indent`: its further lines begin there, too. On a terminal, lines end before its edge where words do. */
export function hanging(text: string, indent: number): string {
  const room = process.stdout.isTTY ? Math.max(30, process.stdout.columns - indent) : Number.POSITIVE_INFINITY
  const lines = text.split('\n').flatMap((line) => {
    const wrapped = ['']
    for (const word of line.split(/(?<= )(?! )/)) {
      if (wrapped.at(-1) !== '' && wrapped.at(-1)!.length + word.trimEnd().length > room) wrapped.push(word)
      else wrapped[wrapped.length - 1] += word
    }
    return wrapped
  })
  return lines.map((line) => line.trimEnd()).join(`\n${' '.repeat(indent)}`)
}

/** Columns of texts, left-aligned; the last one is not padded. Colours take no width. */
export function table(rows: readonly (readonly string[])[], { indent = '', gap = '  ' } = {}): string {
  const widths: number[] = []
  for (const row of rows) row.forEach((cell, column) => (widths[column] = Math.max(widths[column] ?? 0, width(cell))))
  return rows
    .map((row) => indent + row.map((cell, column) => (column === row.length - 1 ? cell : cell + ' '.repeat(widths[column]! - width(cell)))).join(gap))
    .join('\n')
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the sequences of `paint`.
const width = (text: string): number => text.replaceAll(/\u001b\[\d+m/g, '').length
