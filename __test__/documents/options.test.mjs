// The documents have every option of createLakebasePool() and of lakebase-native/pg.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import ts from 'typescript'
import { readDocument, root } from './blocks.mjs'

/** The members of an exported interface of index.d.ts, those that it inherits among them. */
function membersOf(name) {
  const program = ts.createProgram([join(root, 'index.d.ts')], { skipLibCheck: true, types: ['node'] })
  const checker = program.getTypeChecker()
  const file = checker.getSymbolAtLocation(program.getSourceFile(join(root, 'index.d.ts')))
  const symbol = checker.getExportsOfModule(file).find((exported) => exported.name === name)
  return checker.getPropertiesOfType(checker.getDeclaredTypeOfSymbol(symbol)).map((property) => property.name)
}

/** The words in code spans of a document. */
const namesIn = (file) => new Set([...readDocument(file).matchAll(/`([^`\n]+)`/g)].flatMap(([, code]) => code.match(/\w+/g) ?? []))

test('createLakebasePool()', () => {
  const members = membersOf('LakebasePoolOptions')
  assert.ok(members.includes('databricksHost') && members.includes('max'), 'the interface is found')
  const described = new Set([...namesIn('docs/options.md'), ...namesIn('docs/authentication.md')])
  assert.deepEqual(members.filter((name) => !described.has(name)), [])
})

test('lakebase-native/pg', () => {
  const members = membersOf('PoolConfig')
  assert.ok(members.includes('max') && members.includes('host'), 'the interface is found')
  const described = namesIn('docs/pg.md')
  assert.deepEqual(members.filter((name) => !described.has(name)), [])
})
