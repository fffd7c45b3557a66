/**
 * dist/core.js: the modules of `lakebase-native` and `lakebase-native/pg` with the pg-types that they need, in one file, which Node.js
 * loads in less than half the time of sixty. What is loaded late in ts/ stays so: esbuild runs a module when it is first required.
 */

import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, posix, relative, resolve, sep } from 'node:path'
import { build } from 'esbuild'
import { root } from './entries.mjs'
import { licences } from './licences.mjs'

/** The entry points in it. The others use its modules, but most programs load none of them. */
const together = ['index.js', 'pg/index.js']

/**
 * Replaces the modules in `dist`, a folder of compiled CommonJS modules, by core.js. A module that others in the folder require keeps its
 * file, which takes the module out of core.js: there is one copy of everything, whoever loads it first.
 */
export async function bundleCore(dist) {
  const inside = [...reachable(dist, together)].sort()
  const outside = modulesIn(dist).filter((file) => !inside.includes(file))
  const table = inside.map((file) => `  '${file}': () => require('./${file}'),\n`).join('')
  const { metafile } = await build({
    stdin: { contents: `/** What lakebase-native runs: see scripts/core.mjs. */\nmodule.exports = {\n${table}}\n`, resolveDir: dist, sourcefile: 'core' },
    // Its modules' names in the bundle are their paths from here.
    absWorkingDir: dist,
    outfile: join(dist, 'core.js'),
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    legalComments: 'none',
    logLevel: 'warning',
    metafile: true,
    plugins: [{ name: 'packages', setup: ({ onResolve }) => onResolve({ filter: /./ }, (required) => external(dist, required)) }],
  })
  const wanted = new Set([...together, ...outside.flatMap((file) => requiredBy(dist, file))])
  for (const file of inside) {
    if (wanted.has(file)) writeFileSync(join(dist, file), taken(file, namesIn(readFileSync(join(dist, file), 'utf8'))))
    else rmSync(join(dist, file))
  }
  writeFileSync(join(dist, 'LICENSES.txt'), licences(Object.keys(metafile.inputs).filter((file) => file.startsWith('..')).map((file) => relative(root, resolve(dist, file)))))
}

/** The line that takes a module out of core.js; the second tells Node.js, which does not run it to know, what ES modules can import by name. */
function taken(file, names) {
  const core = posix.relative(posix.dirname(file), 'core.js').replace(/^(?!\.)/, './')
  return `module.exports = require('${core}')['${file}']()\n0 && (module.exports = { ${names.join(', ')} })\n`
}

/** What a compiled module exports. */
function namesIn(text) {
  const names = [...text.matchAll(/\bexports(?:\.(\w+) =|, "(\w+)", \{)/g)].map(([, assigned, defined]) => assigned ?? defined)
  return [...new Set(names)].filter((name) => name !== '__esModule').sort()
}

/** Packages stay outside, but for the copy of pg-types and what that needs. The manifest stays where it is: a release changes it. */
function external(dist, { path, importer }) {
  if (path.endsWith('/package.json')) return { path, external: true }
  if (/^\.\.?\//.test(path)) return undefined
  const ours = importer.startsWith(dist) && !/\bbundled-[a-z-]+\.js$/.test(importer)
  return ours ? { path, external: true } : undefined
}

/** The modules that `entries` load at some time, themselves among them; paths from `dist`. */
function reachable(dist, entries) {
  const found = new Set(entries)
  // The set grows meanwhile, and the loop goes on to its new end.
  for (const file of found) for (const needed of requiredBy(dist, file)) found.add(needed)
  return found
}

/** The files of `dist` that a module of it names in a `require`. */
function requiredBy(dist, file) {
  const text = readFileSync(join(dist, file), 'utf8')
  const named = [...text.matchAll(/\brequire\((["'])(\.{1,2}\/[^"']+\.js)\1\)/g)].map(([, , path]) => posix.join(posix.dirname(file), path))
  return named.filter((path) => existsSync(join(dist, path)))
}

function modulesIn(dist) {
  return readdirSync(dist, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.js'))
    .map((entry) => relative(dist, join(entry.parentPath ?? entry.path, entry.name)).split(sep).join('/'))
}
