// The installed package in both module systems, in workers, and without its addon.
import assert from 'node:assert/strict'
import { readdirSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { install, run } from './installation.mjs'

const app = await install()
const runModule = (program) => run(app, ['--input-type=module', '--eval', program])
const runCommonJs = (program) => run(app, ['--input-type=commonjs', '--eval', program])

for (const entry of ['lakebase-native', 'lakebase-native/pg', 'lakebase-native/emulator']) {
  test(`${entry}: import and require give the same objects under the same names`, async () => {
    const names = await runModule(`
      import { createRequire } from 'node:module'
      import assert from 'node:assert/strict'
      import * as imported from '${entry}'
      const required = createRequire(process.cwd() + '/app.js')('${entry}')
      assert.equal(imported.default, required)
      assert.deepEqual(Object.keys(imported).filter((name) => name !== 'default'), Object.keys(required).sort())
      for (const name of Object.keys(required)) assert.equal(imported[name], required[name], name)
      console.log(Object.keys(required).length)`)
    assert.ok(Number(names) > 0)
  })

  // Compilers turn a default import into `module.exports.default` of what is marked as a compiled ES module, and we have no such thing.
  test(`${entry}: a default import compiled to CommonJS is the module itself`, async () => {
    assert.equal(await runCommonJs(`console.log(require('${entry}').__esModule, 'default' in require('${entry}'))`), 'undefined false')
  })
}

test('both entries have the same classes', async () => {
  const same = await runCommonJs(`
    const lakebase = require('lakebase-native'), pg = require('lakebase-native/pg')
    console.log(lakebase.Pool === pg.Pool && lakebase.Client === pg.Client && lakebase.types === pg.types)`)
  assert.equal(same, 'true')
})

test('worker threads load it beside the main thread', async () => {
  const program = `
    const { Worker, isMainThread, parentPort } = require('node:worker_threads')
    const { createLakebasePool, ConfigurationError } = require('lakebase-native')
    let problem
    try { createLakebasePool({ max: -1 }) } catch (error) { problem = error instanceof ConfigurationError }
    if (!isMainThread) parentPort.postMessage(problem)
    else for (let i = 0; i < 2; i++) new Worker(process.argv[1]).on('message', (text) => console.log(text))`
  const file = join(app, 'worker.cjs')
  writeFileSync(file, program)
  assert.equal(await run(app, [file]), 'true\ntrue')
})

test('without its addon it says which package is missing', async () => {
  const modules = join(app, 'node_modules')
  const platform = readdirSync(modules).find((name) => name.startsWith('lakebase-native-'))
  renameSync(join(modules, platform), join(app, 'elsewhere'))
  try {
    const message = await runCommonJs(`try { require('lakebase-native') } catch (error) { console.log(error.message) }`)
    assert.match(message, new RegExp(`${platform}: not installed`))
  } finally {
    renameSync(join(app, 'elsewhere'), join(modules, platform))
  }
})
