/** ts/ as a TypeScript program: compiles it, and tells what its entry points export. */

import { join } from 'node:path'
import ts from 'typescript'
import { entries, root } from './entries.mjs'

/**
 * Compiles ts/ into `outDir`. Exits with the compiler's messages when ts/ has errors.
 *
 * @param {string} outDir
 * @param {ts.CompilerOptions} options in addition to tsconfig.json's
 */
export function compile(outDir, options = {}) {
  const host = { ...ts.sys, onUnRecoverableConfigFileDiagnostic: (diagnostic) => fail([diagnostic]) }
  const config = ts.getParsedCommandLineOfConfigFile(join(root, 'tsconfig.json'), { ...options, outDir, noEmitOnError: true }, host)
  const program = ts.createProgram(config.fileNames, config.options)
  const emitted = program.emit()
  const diagnostics = [...config.errors, ...ts.getPreEmitDiagnostics(program), ...emitted.diagnostics]
  if (diagnostics.length > 0) fail(diagnostics)
  return { exports: entries.map((entry) => ({ ...entry, ...exportsOf(program, entry.module) })) }
}

/** One file of ts/ as an ES module, unchecked. */
export function toEsModule(text) {
  const { compilerOptions } = ts.readConfigFile(join(root, 'tsconfig.json'), ts.sys.readFile).config
  const options = { ...compilerOptions, module: 'esnext', moduleResolution: 'bundler', declaration: false }
  return ts.transpileModule(text, { compilerOptions: ts.convertCompilerOptionsFromJson(options, root).options }).outputText
}

/** The names an entry exports, sorted: those that exist at run time, and those that are types only. */
function exportsOf(program, module) {
  const checker = program.getTypeChecker()
  const file = checker.getSymbolAtLocation(program.getSourceFile(join(root, 'ts', `${module}.ts`)))
  const values = []
  const types = []
  for (const symbol of checker.getExportsOfModule(file)) {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol
    const typeOnly = symbol.declarations.some(ts.isTypeOnlyExportDeclaration) || !(target.flags & ts.SymbolFlags.Value)
    ;(typeOnly ? types : values).push(symbol.name)
  }
  return { values: values.sort(), types: types.sort() }
}

function fail(diagnostics) {
  const host = { getCanonicalFileName: (name) => name, getCurrentDirectory: () => root, getNewLine: () => '\n' }
  const unique = ts.sortAndDeduplicateDiagnostics(diagnostics)
  process.stderr.write(ts.formatDiagnosticsWithColorAndContext(unique, host))
  process.exit(1)
}
