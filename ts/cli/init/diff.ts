/** What a change does to a file of variables, shown without values that are nobody's business. */

import { paint } from '../output.js'

/** Values of such names are not shown. */
const SECRET = /SECRET|TOKEN|PASSWORD|PASSWD|KEY|CREDENTIAL|DATABASE_URL|_DSN|PRIVATE/

/** Lines beside a change. */
const CONTEXT = 2

/** A unified diff: removed and added lines, lines around them, line numbers. Empty where nothing changes. */
export function diff(file: string, before: string | undefined, after: string): string {
  if (before === after) return ''
  const [old, fresh] = [lines(before ?? ''), lines(after)]
  const edits = edit(old, fresh)
  const shown = edits.map((_, at) => edits.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ sign }) => sign !== ' '))
  const out = [paint('bold', `--- ${before === undefined ? '/dev/null' : file}`), paint('bold', `+++ ${file}`)]
  edits.forEach(({ sign, text, oldLine, freshLine }, at) => {
    if (!shown[at]) return
    if (!shown[at - 1]) out.push(paint('cyan', `@@ -${oldLine} +${freshLine} @@`))
    const line = `${sign}${masked(text, sign === ' ')}`
    out.push(sign === ' ' ? line : paint(sign === '+' ? 'green' : 'red', line))
  })
  return out.join('\n')
}

interface Edit {
  sign: ' ' | '+' | '-'
  text: string
  oldLine: number
  freshLine: number
}

/** The shortest way from one list of lines to the other, by their longest common subsequence. */
function edit(old: readonly string[], fresh: readonly string[]): Edit[] {
  const width = fresh.length + 1
  const lengths = new Uint32Array((old.length + 1) * width)
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = fresh.length - 1; j >= 0; j--) {
      const below = lengths[(i + 1) * width + j]!
      const beside = lengths[i * width + j + 1]!
      lengths[i * width + j] = old[i] === fresh[j] ? lengths[(i + 1) * width + j + 1]! + 1 : Math.max(below, beside)
    }
  }
  const edits: Edit[] = []
  let [i, j] = [0, 0]
  while (i < old.length || j < fresh.length) {
    const at = { oldLine: i + 1, freshLine: j + 1 }
    if (i < old.length && j < fresh.length && old[i] === fresh[j]) {
      edits.push({ sign: ' ', text: old[i]!, ...at })
      i++, j++
    } else if (i < old.length && (j === fresh.length || lengths[(i + 1) * width + j]! >= lengths[i * width + j + 1]!)) {
      edits.push({ sign: '-', text: old[i++]!, ...at })
    } else {
      edits.push({ sign: '+', text: fresh[j++]!, ...at })
    }
  }
  return edits
}

const lines = (text: string): string[] => (text === '' ? [] : text.replace(/\n$/, '').split('\n'))

/** Of lines that stay no value is shown; of the others none that is secret. */
function masked(line: string, all: boolean): string {
  const [, start, name] = /^(\s*(?:#\s*)?(?:export\s+)?([A-Za-z_][\w.-]*)\s*=)/.exec(line) ?? []
  if (start === undefined) return all && !line.trimStart().startsWith('#') && line.trim() !== '' ? '…' : line
  return (all || SECRET.test(name!)) && line.length > start.length ? `${start}…` : line
}
