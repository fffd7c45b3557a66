// Which registry of type parsers `types` is: the app's pg-types, or the copy that comes with the package.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { install, root, run, temporaryDirectory } from './installation.mjs'

const installed = await install()
const require = createRequire(import.meta.url)
const dependencies = ['pg-int8', 'postgres-array', 'postgres-bytea', 'postgres-date', 'postgres-interval', 'xtend']

/** A copy of the app with further packages. */
function appWith(add) {
  const app = temporaryDirectory()
  cpSync(installed, app, { recursive: true })
  add(join(app, 'node_modules'))
  return app
}

const addFromCheckout = (name, modules) => cpSync(join(root, 'node_modules', name), join(modules, name), { recursive: true })

const printed = async (app, program) => JSON.parse(await run(app, ['-p', `JSON.stringify((() => { ${program} })())`]))

/** What the parsers of a registry make of some values, with its other exports. */
const sample = (types) => {
  const texts = [[16, 't'], [17, '\\\\x00ff'], [20, '9007199254740993'], [600, '(1,2)'], [718, '<(1,2),3>'], [1007, '{1,NULL}'], [1082, '2024-01-02'], [1114, 'infinity'], [1184, '0044-03-15 12:00:00+00 BC'], [1186, '1 day 00:00:01.5'], [2951, '{a,"b c"}'], [99999, 'x']]
  const bytes = [[16, [1]], [20, [0, 0, 0, 0, 0, 0, 1, 0]], [23, [255, 255, 255, 254]], [701, [64, 9, 33, 251, 84, 68, 45, 24]], [1700, [0, 1, 0, 0, 0, 0, 0, 0, 0, 5]]]
  return [
    texts.map(([oid, text]) => types.getTypeParser(oid, 'text')(text)),
    bytes.map(([oid, value]) => types.getTypeParser(oid, 'binary')(Buffer.from(value))),
    types.arrayParser.create('{1,"a b"}', (entry) => entry + '!').parse(),
    types.builtins,
    Object.keys(types).sort(),
  ]
}

test('an app without pg-types has the same parsers', async () => {
  const theirs = await printed(installed, `return (${sample})(require('lakebase-native').types)`)
  assert.deepEqual(theirs, JSON.parse(JSON.stringify(sample(require('pg-types')))))
})

test('an app with pg-types of version 2, as with pg, has one registry', async () => {
  const app = appWith((modules) => {
    for (const name of ['pg-types', ...dependencies]) addFromCheckout(name, modules)
  })
  const same = await printed(app, `
    const types = require('pg-types'), lakebase = require('lakebase-native'), pg = require('lakebase-native/pg')
    types.setTypeParser(1700, parseFloat)
    return [lakebase.types === types, pg.types === types, new pg.TypeOverrides().getTypeParser(1700) === parseFloat]`)
  assert.deepEqual(same, [true, true, true])
})

test('another major version of pg-types, which parses differently, is left to whom it is for', async () => {
  const app = appWith((modules) => {
    mkdirSync(join(modules, 'pg-types'))
    writeFileSync(join(modules, 'pg-types/package.json'), JSON.stringify({ name: 'pg-types', version: '4.0.2', main: 'index.js' }))
    writeFileSync(join(modules, 'pg-types/index.js'), "throw new Error('loaded')")
  })
  assert.equal(await printed(app, "return require('lakebase-native').types.getTypeParser(23)('12')"), 12)
})
