// Programs written against @types/pg, as its users write them: what compiles with `pg` compiles with this package under its name, and
// what does not, does not. Strict, in one TypeScript program for each of the two.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const here = fileURLToPath(new URL('.', import.meta.url))
const options = {
  strict: true,
  noEmit: true,
  noImplicitOverride: true,
  exactOptionalPropertyTypes: true,
  // The libraries' own declarations are theirs; ours are checked by package/typings.test.mjs.
  skipLibCheck: true,
  esModuleInterop: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  lib: ['lib.es2023.d.ts', 'lib.dom.d.ts'],
  types: ['node'],
}

const files = (...folders) => folders.flatMap((folder) => readdirSync(join(here, folder)).map((name) => join(here, folder, name)))

/** The compiler's messages, by file, and whether it has read @types/pg. With `pg`, every import of it, those of libraries included, is another module's. */
function compile(roots, pg) {
  const host = ts.createCompilerHost(options)
  const cache = ts.createModuleResolutionCache(here, (name) => name, options)
  host.resolveModuleNameLiterals = (literals, file, redirected, compilerOptions, source) =>
    literals.map((literal) => {
      const swapped = pg && literal.text === 'pg'
      const mode = ts.getModeForUsageLocation(source, literal, compilerOptions)
      const [name, from] = swapped ? [pg, join(here, 'index.ts')] : [literal.text, file]
      return ts.resolveModuleName(name, from, compilerOptions, host, cache, redirected, mode)
    })
  const program = ts.createProgram(roots, options, host)
  const messages = new Map(roots.map((file) => [file, []]))
  for (const diagnostic of ts.getPreEmitDiagnostics(program)) {
    const name = diagnostic.file?.fileName
    const text = ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')
    const line = diagnostic.file ? diagnostic.file.getLineAndCharacterOfPosition(diagnostic.start).line + 1 : 0
    if (!messages.has(name)) messages.set(name, [])
    messages.get(name).push(`${name ?? 'the program'}:${line}: ${text}`)
  }
  return { messages, usesTypesOfPg: program.getSourceFiles().some(({ fileName }) => fileName.includes('/@types/pg/')) }
}

/** One test per file, of one program. */
function compiles(what, folders, pg) {
  const roots = files(...folders)
  describe(what, () => {
    let outcome
    before(() => {
      outcome = compile(roots, pg)
    })
    for (const file of roots) test(basename(file), () => assert.deepEqual(outcome.messages.get(file), []))
    test('nothing else is wrong', () => {
      const others = [...outcome.messages].filter(([file]) => !roots.includes(file))
      assert.deepEqual(others.flatMap(([, messages]) => messages), [])
    })
    test(`@types/pg is ${pg ? 'not ' : ''}part of it`, () => assert.equal(outcome.usesTypesOfPg, !pg))
  })
}

compiles('with pg, and pools of lakebase-native where its are expected', ['programs', 'mistakes', 'pools'])
compiles('with lakebase-native/pg as pg', ['programs', 'mistakes', 'pools'], 'lakebase-native/pg')
