// Programs for drizzle-orm/node-postgres compile with our driver in its place, and mean the same: `same()` compares what is inferred. Each
// for drizzle-orm 0.45 and 1.0, as ES modules and as CommonJS, whose types drizzle-orm has twice.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe } from 'node:test'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { test } from '../support/test.mjs'

const here = fileURLToPath(new URL('types/', import.meta.url))
const options = {
  strict: true,
  noEmit: true,
  // The libraries' own declarations are theirs. Of ours, package/drizzle.test.mjs compiles each.
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.Node16,
  moduleResolution: ts.ModuleResolutionKind.Node16,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
}

/** The compiler's messages for programs, by file, with other packages in place of some, and their text changed. */
function compile(programs, packages, rewrite) {
  const texts = new Map(
    programs.flatMap((program) => ['.mts', '.cts'].map((extension) => [join(here, program.replace('.mts', extension)), rewrite(readFileSync(join(here, program), 'utf8'))])),
  )
  const host = ts.createCompilerHost(options)
  const { getSourceFile } = host
  host.getSourceFile = (name, language, ...rest) =>
    texts.has(name) ? ts.createSourceFile(name, texts.get(name), language) : getSourceFile(name, language, ...rest)
  const cache = ts.createModuleResolutionCache(here, (name) => name, options)
  host.resolveModuleNameLiterals = (literals, from, redirected, compilerOptions, source) =>
    literals.map((literal) => {
      const mode = ts.getModeForUsageLocation(source, literal, compilerOptions)
      const swapped = packages.find(([pattern]) => pattern.test(literal.text))
      const [name, importer] = swapped ? [literal.text.replace(...swapped), join(here, 'index.ts')] : [literal.text, from]
      return ts.resolveModuleName(name, importer, compilerOptions, host, cache, redirected, mode)
    })
  const messages = Object.fromEntries([...texts.keys()].map((file) => [basename(file), []]))
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(ts.createProgram([...texts.keys()], options, host))) {
    const line = file ? file.getLineAndCharacterOfPosition(start).line + 1 : 0
    ;(messages[file ? basename(file.fileName) : 'the program'] ??= []).push(`${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`)
  }
  return messages
}

const drizzles = { '0.45': [], '1.0': [[/^drizzle-orm(?=\/|$)/, 'drizzle-orm-rc']] }
const asOurs = [[/^drizzle-orm\/node-postgres/, 'lakebase-native/drizzle'], [/^pg$/, 'lakebase-native/pg']]

for (const [version, swaps] of Object.entries(drizzles)) {
  describe(`drizzle-orm ${version}`, () => {
    const programs = ['both.mts', `${version}.mts`]
    const compiles = (title, roots, packages, rewrite = (text) => text) =>
      test(title, { timeout: 300_000 }, () => {
        const messages = compile(roots, packages, rewrite)
        assert.deepEqual(messages, Object.fromEntries(Object.keys(messages).map((file) => [file, []])))
      })
    compiles('with drizzle-orm/node-postgres', programs, swaps)
    // The classes have other names, and a connection is a Lakebase pool.
    compiles('with lakebase-native/drizzle', programs, [...asOurs, ...swaps], (text) => text.replaceAll('NodePg', 'Lakebase'))
    compiles('drizzle-orm/node-postgres on a Lakebase pool', ['pool.mts'], swaps)
    compiles('what is ours alone', ['ours.mts'], swaps)
  })
}
