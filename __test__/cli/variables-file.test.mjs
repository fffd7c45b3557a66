// Files of variables: read as Node.js and dotenv read them, changed without losing anything.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseEnv } from 'node:util'
import fc from 'fast-check'
import { mergeVariables, parseVariables } from '../../dist/cli/variables-file.js'

const read = (text) => Object.fromEntries(parseVariables(text))

for (const text of [
  'A=1\nB=2',
  'A = 1 \n  B=2',
  'export A=1',
  "A='single # quoted'\nB=\"double # quoted\"\nC=`back # quoted`",
  'A=bare # comment\nB=bare#comment',
  'A="two\nlines"\nB=1',
  "A='two\nlines'\nB=1",
  'A="new\\nline"\nB=\'new\\nline\'',
  'A=\nB=""\nC=\'\'',
  '# A=1\nB=1',
  'A=x=y\nB=https://host/path?a=b&c=d',
  'A=1\nA=2',
  '\n\nA=1\n\n',
]) {
  test(`${JSON.stringify(text)} is read as Node.js reads it`, () => {
    assert.deepEqual(read(text), { ...parseEnv(text) })
  })
}

test('lines that end with CR LF are read without the CR, and a file of them gets no other line ends', () => {
  assert.deepEqual(read('A=1\r\nB="2" # c\r\n'), { A: '1', B: '2' })
  assert.equal(mergeVariables('A=1\r\nB=2', { A: '3', C: '4' }), 'A=3\r\nB=2\r\nC=4\r\n')
})

const name = fc.constantFrom('A', 'B_2', 'PGHOST', 'DATABASE_URL')
const plain = fc.stringMatching(/^[\w./:@-]{0,12}$/)
const line = fc.oneof(
  fc.tuple(fc.constantFrom('', 'export ', '  '), name, fc.constantFrom('=', ' = '), plain, fc.constantFrom('', ' # note')).map((parts) => parts.join('')),
  fc.tuple(name, fc.constantFrom("'", '"', '`'), fc.stringMatching(/^[\w #=]{0,12}$/), fc.constantFrom('', '\n'), plain).map(([key, quote, a, newline, b]) => `${key}=${quote}${a}${newline}${b}${quote}`),
  fc.stringMatching(/^# ?[\w =]{0,12}$/),
  fc.constant(''),
)
const file = fc.tuple(fc.array(line, { maxLength: 8 }), fc.constantFrom('', '\n')).map(([lines, end]) => lines.join('\n') + (lines.length > 0 ? end : ''))
const value = fc.stringMatching(/^[ -&(-_a-~]{0,20}$/).filter((text) => !text.includes('`'))

test('what is changed is read back, by Node.js too, and everything else stays as it was', () => {
  fc.assert(
    fc.property(file, name, value, (text, changed, wanted) => {
      const merged = mergeVariables(text, { [changed]: wanted })
      assert.deepEqual(read(merged), { ...read(text), [changed]: wanted })
      assert.equal(parseEnv(merged)[changed], wanted)
      // Without the lines of the variable, both are the same text.
      const others = (all) => all.split(/(?<=\n)/).filter((one) => !new RegExp(`^\\s*(export )?${changed}\\b`).test(one)).join('').trimEnd()
      if (!/["'`]/.test(text)) assert.equal(others(merged), others(text))
      assert.equal(mergeVariables(merged, { [changed]: wanted }), merged)
    }),
    { numRuns: 2000, seed: 20261121 },
  )
})

test('null makes a comment of a variable, with all its lines', () => {
  assert.equal(mergeVariables('A="1\n2"\nB=1\n', { A: null, C: null }), '# A="1\n# 2"\nB=1\n')
})

test('a value with every kind of quote is refused', () => {
  assert.throws(() => mergeVariables('', { A: `'"\`` }), /every kind of quote/)
})
