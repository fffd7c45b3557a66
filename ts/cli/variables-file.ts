/** The format of .env files: which variables a text sets, and a text with some of them changed and everything else as it was. */

import { Failure } from './failure.js'

/** As dotenv and Node.js read it: `export` is allowed; a value in ", ' or ` may have several lines, another ends at its line or at a #. */
const ASSIGNMENT =
  /^[ \t]*(?:export[ \t]+)?([A-Za-z_][\w.-]*)[ \t]*=[ \t]*("(?:\\[\s\S]|[^"\\])*"|'[^']*'|`[^`]*`|[^\r\n#]*?)([ \t]*(?:#[^\r\n]*)?)(?=\r?$)/gm

/** The variables a text sets, in order; of one that is set twice the last. */
export function parseVariables(text: string): Map<string, string> {
  const variables = new Map<string, string>()
  for (const [, name, value] of text.matchAll(ASSIGNMENT)) variables.set(name!, unquote(value!))
  return variables
}

/**
 * The text with these variables set. A variable that is there is changed where it stands, and its line's comment stays (of several lines, all are
 * changed); the others come at the end. `null` makes a comment of a variable's line.
 */
export function mergeVariables(text: string, changes: Readonly<Record<string, string | null>>): string {
  const wanted = new Map(Object.entries(changes))
  const present = new Set<string>()
  const merged = text.replaceAll(ASSIGNMENT, (line: string, name: string, value: string, comment: string) => {
    const change = wanted.get(name)
    if (change === undefined) return line
    present.add(name)
    if (change === null) return line.replaceAll(/^/gm, '# ')
    if (unquote(value) === change) return line
    const before = line.slice(0, line.length - value.length - comment.length)
    return before + quote(change) + comment
  })
  const newline = /\r\n/.test(text) ? '\r\n' : '\n'
  const missing = [...wanted].filter((entry): entry is [string, string] => entry[1] !== null && !present.has(entry[0]))
  const added = missing.map(([name, value]) => `${name}=${quote(value)}${newline}`)
  if (added.length === 0) return merged
  return merged + (merged === '' || merged.endsWith('\n') ? '' : newline) + added.join('')
}

function unquote(value: string): string {
  const quote = value[0]
  if (value.length < 2 || value.at(-1) !== quote || !`"'\``.includes(quote!)) return value
  const text = value.slice(1, -1)
  return quote === '"' ? text.replaceAll('\\n', '\n').replaceAll('\\r', '\r') : text
}

/** As every reader of such files takes it: bare where that is safe, else in quotes that the value does not have. Nothing is escaped: readers differ there. */
function quote(value: string): string {
  if (/^[\w./:@%+,=-]*$/.test(value)) return value
  const free = ["'", '`', '"'].find((mark) => !value.includes(mark) && !(mark === '"' && value.includes('\\')))
  if (free === undefined) throw new Failure('a value with every kind of quote cannot be written to a file of variables', { code: 'VALUE_UNWRITABLE' })
  return free + value + free
}
