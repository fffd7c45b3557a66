/**
 * Generates index.d.ts, the public API of all entry points in one file, from ts/.
 *   node scripts/types.mjs           writes it
 *   node scripts/types.mjs --check   fails when the committed file differs from what ts/ says
 */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import ts from 'typescript'
import { root } from './entries.mjs'
import { compile } from './typescript.mjs'

const header = `// Generated from ts/ by \`npm run types\`: do not edit. The public API of every entry point; the lists at the end tell which exports what.\n\n`

const directory = mkdtempSync(join(tmpdir(), 'lakebase-native-types-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
const compiled = compile(directory, { declaration: true, emitDeclarationOnly: true })
// The others' are written by hand.
const exports = compiled.exports.filter(({ declarations }) => !declarations)
const generated = await bundle()

const committed = join(root, 'index.d.ts')
if (!process.argv.includes('--check')) {
  writeFileSync(committed, generated)
} else if (!existsSync(committed) || readFileSync(committed, 'utf8') !== generated) {
  const expected = join(directory, 'index.d.ts')
  writeFileSync(expected, generated)
  spawnSync('git', ['--no-pager', 'diff', '--no-index', '--', committed, expected], { stdio: 'inherit' })
  console.error('index.d.ts is not what ts/ declares: run `npm run types` and commit the result')
  process.exitCode = 1
}

/** Takes the declarations of pg-types in: whoever installs this package need not have that one. */
function inThisPackage() {
  return {
    name: 'in-this-package',
    resolveId: (id) => (id === 'pg-types' ? join(root, 'node_modules', 'pg-types', 'index.d.ts') : null),
  }
}

/** Leaves out what is not for users. */
function publicPart() {
  return {
    name: 'public-part',
    transform: (code, file) => withoutPrivateMembers(withoutHeader(code, file)),
  }
}

/** Without what a file of ts/ says of itself in its first lines: in one file it would read as a comment of the next declaration. */
function withoutHeader(code, file) {
  const source = join(root, 'ts', relative(directory, file).replace(/\.d\.ts$/, '.ts'))
  const [header] = (existsSync(source) && /^\/\*\*.*?\*\/(?=\n\n)/s.exec(readFileSync(source, 'utf8'))) || []
  return header && code.startsWith(header) ? code.slice(header.length) : code
}

/**
 * With one `#private` in place of a class's private members and their comments, as TypeScript declares members with `#` names: the class
 * stays a type of its own, and a change of its inside is no change of the API.
 */
function withoutPrivateMembers(code) {
  const file = ts.createSourceFile('file.d.ts', code, ts.ScriptTarget.Latest)
  const cuts = file.statements.filter(ts.isClassDeclaration).flatMap(({ members }) => {
    let marked = members.some(({ name }) => name && ts.isPrivateIdentifier(name))
    return members.filter(isPrivate).map(({ pos, end }) => {
      const text = marked ? '' : '\n    #private;'
      marked = true
      return { pos, end, text }
    })
  })
  return cuts.reduceRight((text, cut) => text.slice(0, cut.pos) + cut.text + text.slice(cut.end), code)
}

/** A private constructor is API: it says that nobody constructs the class. */
function isPrivate(member) {
  return !ts.isConstructorDeclaration(member) && (ts.getCombinedModifierFlags(member) & ts.ModifierFlags.Private) !== 0
}

async function bundle() {
  const input = join(directory, 'public.d.ts')
  writeFileSync(input, exports.map(({ module }) => `export * from './${module}.js'\n`).join(''))
  const build = await rollup({
    input,
    external: /^(?!pg-types$)[^./]/,
    plugins: [inThisPackage(), publicPart(), dts()],
    // Two entries that export one name with two meanings cannot share a file, and Rollup would only warn.
    onwarn: (warning) => {
      throw new Error(warning.message)
    },
  })
  const { output } = await build.generate({ format: 'es' })
  await build.close()

  const declarations = output[0].code
  const list = /^export (?:type )?\{ (.*) \}( from '.*')?;\n/gm
  const specifiers = [...declarations.matchAll(list)].flatMap(([, names, from = '']) =>
    names.split(', ').map((name) => ({ text: name.replace(/^type /, ''), exported: name.split(' ').at(-1), from })),
  )
  return `${header}${declarations.replaceAll(list, '').trim()}\n${exportLists(specifiers)}`
}

/** The exports, grouped by entry: a name that several entries export is listed with the first, and mentioned with the others. */
function exportLists(specifiers) {
  const listed = new Set()
  let lists = ''
  for (const { specifier, values, types } of exports) {
    const mentioned = [...values, ...types].filter((name) => listed.has(name))
    lists += `\n// ${specifier}${mentioned.length > 0 ? `; also ${mentioned.join(', ')}` : ''}\n`
    for (const [keyword, names] of [['export', values], ['export type', types]]) {
      const own = specifiers.filter(({ exported }) => names.includes(exported) && !listed.has(exported))
      for (const from of new Set(own.map((one) => one.from))) {
        const lines = own.filter((one) => one.from === from).map(({ text }) => `    ${text},\n`)
        lists += `${keyword} {\n${lines.sort().join('')}}${from};\n`
      }
      for (const { exported } of own) listed.add(exported)
    }
  }
  return lists
}
