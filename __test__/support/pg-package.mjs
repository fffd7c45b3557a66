// `require('pg')` of packages that know nothing of this one: a package `pg`, as an app puts in the place of node-postgres' (docs/pg.md).
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'

const root = createRequire(import.meta.url).resolve('lakebase-native/package.json')

/** Writes packages `pg` and `pg-pool` that re-export `lakebase-native/pg`, beside copies of others and what they need; returns a `require` that finds them. */
export function pgPackage(...others) {
  const directory = mkdtempSync(join(tmpdir(), 'lakebase-pg-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  const ours = JSON.stringify(join(dirname(root), 'dist', 'pg', 'index.js'))
  for (const [name, version, text] of [
    // As node-postgres does: the pool comes from its own package.
    ['pg', '8.23.1', `module.exports = require(${ours})\nrequire('pg-pool')\n`],
    ['pg-pool', '3.14.0', `module.exports = require(${ours}).Pool\n`],
  ]) {
    const folder = join(directory, 'node_modules', name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name, version, main: 'index.js' }))
    writeFileSync(join(folder, 'index.js'), text)
  }
  // Where pg-cursor looks.
  const lib = join(directory, 'node_modules', 'pg', 'lib')
  mkdirSync(lib)
  writeFileSync(join(lib, 'result.js'), "module.exports = require('..').Result\n")
  writeFileSync(join(lib, 'utils.js'), "module.exports = require('..').utils\n")
  for (const name of withDependencies(others)) cpSync(installed(name), join(directory, 'node_modules', name), { recursive: true })
  return createRequire(join(directory, 'app.js'))
}

const installed = (name) => join(dirname(root), 'node_modules', name)

/** These packages and all they depend on, without `pg`. */
function withDependencies(names) {
  const found = new Set()
  const add = (name) => {
    if (name === 'pg' || found.has(name)) return
    found.add(name)
    const { dependencies = {} } = JSON.parse(readFileSync(join(installed(name), 'package.json'), 'utf8'))
    // What is not here is in a `node_modules` of its own, which is copied along.
    for (const dependency of Object.keys(dependencies)) if (existsSync(installed(dependency))) add(dependency)
  }
  for (const name of names) add(name)
  return found
}
