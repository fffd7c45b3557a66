/**
 * Compiles ts/ into dist/: CommonJS, and beside each entry point
 * - an ES module that re-exports it, so that a process that mixes `import` and `require` has one copy of every class and one set of
 *   pools;
 * - the declarations of both, which pick the entry's names from the index.d.ts that all entries share. One declaration per class keeps
 *   the `Pool` of `lakebase-native/pg` and of `lakebase-native` the same type.
 * An entry with declarations of its own is compiled to an ES module, too (see entries.mjs), over the same copy of everything else.
 * In the end what every program loads becomes one file (see core.mjs), as the libraries of the command line do (see bundled-libraries.mjs).
 */

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, posix } from 'node:path'
import { bundleLibraries } from './bundled-libraries.mjs'
import { bundleCore } from './core.mjs'
import { root } from './entries.mjs'
import { compile, toEsModule } from './typescript.mjs'

const dist = join(root, 'dist')
const cache = join(root, 'node_modules', '.cache')
mkdirSync(cache, { recursive: true })
const fresh = mkdtempSync(join(cache, 'dist-'))
process.once('exit', () => rmSync(fresh, { recursive: true, force: true }))

const compiled = compile(fresh, { declaration: false })
for (const { module, values, types, declarations } of compiled.exports) {
  if (declarations) {
    twice(module, declarations)
    continue
  }
  const name = `./${posix.basename(module)}.js`
  const api = posix.join(posix.relative(posix.dirname(`dist/${module}`), '.'), 'index.js')
  const file = join(fresh, module)
  const text = plainCommonJs(`${file}.js`)
  // What an entry hides from enumeration, as `pg` does with `native`, is no named export of the ES module.
  const names = values.filter((value) => !text.includes(`Object.defineProperty(exports, '${value}', { enumerable: false`))
  writeFileSync(`${file}.mjs`, `import entry from '${name}'\nexport const { ${names.join(', ')} } = entry\nexport default entry\n`)
  writeFileSync(`${file}.d.mts`, `import entry from '${name}'\nexport * from '${name}'\nexport default entry\n`)
  const typeExports = types.length > 0 ? `export type { ${types.join(', ')} } from '${api}'\n` : ''
  writeFileSync(`${file}.d.ts`, `export { ${values.join(', ')} } from '${api}'\n${typeExports}`)
}
await bundleLibraries(join(fresh, 'cli'))
await bundleCore(fresh)
replace(dist, fresh)

/** Writes the ES modules of the entry's folder, and its declarations for both module systems. */
function twice(module, declarations) {
  const folder = posix.dirname(module)
  for (const file of readdirSync(join(root, 'ts', folder)).filter((name) => name.endsWith('.ts'))) {
    const text = readFileSync(join(root, 'ts', folder, file), 'utf8')
    writeFileSync(join(fresh, folder, file.replace(/\.ts$/, '.mjs')), besideEsModules(toEsModule(text)))
  }
  const text = readFileSync(join(root, 'ts', declarations), 'utf8')
  writeFileSync(join(fresh, `${module}.d.ts`), text)
  writeFileSync(join(fresh, `${module}.d.mts`), besideEsModules(text))
}

/** Imports of the same folder are of its ES modules. */
function besideEsModules(text) {
  return text.replaceAll(/(from '\.\/[^']+)\.js'/g, "$1.mjs'")
}

/**
 * Takes the `__esModule` mark from an entry. With it, compiled `import pg from 'lakebase-native/pg'` reads `module.exports.default`,
 * which does not exist; without it, the default import is the module, as it is with `pg` and in dist/*.mjs. Returns the entry's text.
 */
function plainCommonJs(file) {
  const mark = 'Object.defineProperty(exports, "__esModule", { value: true });\n'
  const text = readFileSync(file, 'utf8')
  if (!text.includes(mark)) throw new Error(`${file} has no __esModule mark where TypeScript used to put it`)
  writeFileSync(file, text.replace(mark, ''))
  return text
}

/** Makes `target` hold what `source` holds, file by file: processes that run from `target` meanwhile find every file. */
function replace(target, source) {
  const files = (directory) =>
    readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(directory.length + 1))
  mkdirSync(target, { recursive: true })
  const wanted = files(source)
  for (const file of wanted) {
    mkdirSync(dirname(join(target, file)), { recursive: true })
    renameSync(join(source, file), join(target, file))
  }
  for (const file of files(target)) if (!wanted.includes(file)) rmSync(join(target, file))
}
