// What an installation costs, and what it may run.
import assert from 'node:assert/strict'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { install, readJson } from './installation.mjs'

const app = await install()
const manifests = readdirSync(join(app, 'node_modules'), { recursive: true })
  // A package's own package.json, not one inside its folders.
  .filter((file) => /(^|node_modules\/)(@[^/]+\/)?[^/]+\/package\.json$/.test(file.replaceAll('\\', '/')))
  .map((file) => join(app, 'node_modules', file))

test('beside this package and its addon only pg-protocol is installed', () => {
  const names = manifests.map((file) => readJson(file).name).sort()
  assert.deepEqual([names[0], names.slice(2)], ['lakebase-native', ['pg-protocol']])
  assert.match(names[1], /^lakebase-native-/)
})

test('no package has an install script', () => {
  for (const file of manifests) {
    const { name, scripts = {} } = readJson(file)
    const found = ['preinstall', 'install', 'postinstall'].filter((script) => script in scripts)
    assert.deepEqual(found, [], name)
  }
})

test('the addon is at most 6 MB', () => {
  const directory = readdirSync(join(app, 'node_modules')).find((name) => name.startsWith('lakebase-native-'))
  const addon = join(app, 'node_modules', directory, readJson(app, 'node_modules', directory, 'package.json').main)
  const { size } = statSync(addon)
  assert.ok(size <= 6_000_000, `${size} bytes: a release build (\`npm run build\`) is optimized and stripped, a quick one is not`)
})
