// What the published package.json says.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { install, readJson, root } from './installation.mjs'

const app = await install()
const manifest = readJson(app, 'node_modules/lakebase-native/package.json')

const unsupported = './dist/unsupported.mjs'
const entry = (module) => ({
  // Where no addon runs, bundlers end the build with what to do.
  'edge-light': unsupported,
  workerd: unsupported,
  browser: { types: `./dist/${module}.d.mts`, default: unsupported },
  import: { types: `./dist/${module}.d.mts`, default: `./dist/${module}.mjs` },
  require: { types: `./dist/${module}.d.ts`, default: `./dist/${module}.js` },
})

test('these entry points are exported, and no others', () => {
  assert.deepEqual(manifest.exports, {
    '.': entry('index'),
    './pg': entry('pg/index'),
    './emulator': entry('emulator/index'),
    './drizzle': entry('drizzle/index'),
    './drizzle/migrator': entry('drizzle/migrator'),
    './package.json': './package.json',
  })
})

test('the platform package of this machine is an optional dependency of the same version', () => {
  const [[name, version], ...others] = Object.entries(manifest.optionalDependencies)
  assert.deepEqual(others, [])
  assert.equal(version, manifest.version)
  assert.equal(readJson(app, 'node_modules', name, 'package.json').version, manifest.version)
})

test('nothing of the checkout is left in it', () => {
  for (const field of ['scripts', 'devDependencies', 'napi', 'allowScripts']) assert.equal(manifest[field], undefined, field)
})

test('the checkout itself depends on no platform package, which npm ci could not find before a release', () => {
  assert.equal(readJson(join(root, 'package.json')).optionalDependencies, undefined)
})
