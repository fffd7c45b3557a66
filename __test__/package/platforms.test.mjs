// npm/<target>: the packages of the prebuilt addons.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readJson, root } from './installation.mjs'

const { version, engines, license } = readJson(root, 'package.json')

/** What npm compares with a machine before it installs one of these. */
const machines = {
  'darwin-arm64': { os: ['darwin'], cpu: ['arm64'] },
  'darwin-x64': { os: ['darwin'], cpu: ['x64'] },
  'linux-arm64-gnu': { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] },
  'linux-arm64-musl': { os: ['linux'], cpu: ['arm64'], libc: ['musl'] },
  'linux-x64-gnu': { os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
  'linux-x64-musl': { os: ['linux'], cpu: ['x64'], libc: ['musl'] },
  'win32-x64-msvc': { os: ['win32'], cpu: ['x64'] },
}

test('there is a package for each of the seven targets', () => {
  const targets = readdirSync(join(root, 'npm')).filter((name) => name !== 'local')
  assert.deepEqual(targets.sort(), Object.keys(machines))
})

for (const [target, machine] of Object.entries(machines)) {
  test(`npm installs lakebase-native-${target} only where it can run, in the version of the main package`, () => {
    const { description, ...manifest } = readJson(root, 'npm', target, 'package.json')
    const addon = `lakebase-native.${target}.node`
    const bundled = { module: './bundled.mjs' }
    const exports = {
      '.': { webpack: './bundled.mjs', production: bundled, development: bundled, default: `./${addon}` },
      './package.json': './package.json',
    }
    const files = [addon, 'bundled.mjs', 'THIRD-PARTY-LICENSES.txt']
    assert.deepEqual(manifest, { name: `lakebase-native-${target}`, version, license, engines, ...machine, main: addon, exports, preferUnplugged: true, files })
    assert.match(description, /lakebase-native/)
  })
}
