// A release, as release.yml runs it: packed, published, and installed from the registry. The registry is on this machine.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { pack, readJson, root, temporaryDirectory } from './installation.mjs'
import { startRegistry } from './registry.mjs'

const execute = promisify(execFile)
const { name, version } = readJson(root, 'package.json')
const tarballs = temporaryDirectory()
const { platform } = await pack(tarballs)
const platformName = basename(platform).replace(`-${version}.tgz`, '')
const registry = await startRegistry()
const env = registry.environment()
const script = (file, ...args) => execute(process.execPath, [join(root, 'scripts', file), ...args], { env, cwd: root })

describe('npm run publish:packages', () => {
  test('with --dry-run shows every package and sends nothing', async () => {
    const { stdout, stderr } = await script('publish.mjs', tarballs, '--dry-run')
    assert.ok(stdout.includes(`${name}@${version} would be published`) && stdout.includes(`${platformName}@${version} would be published`), stdout)
    assert.match(stderr, /THIRD-PARTY-LICENSES\.txt/)
    assert.deepEqual(registry.published, [])
  })

  test('sends the platform packages before the main package', async () => {
    await script('publish.mjs', tarballs)
    assert.deepEqual(registry.published, [`${platformName}@${version}`, `${name}@${version}`])
  })

  test('a second time leaves out what is published', async () => {
    const { stdout } = await script('publish.mjs', tarballs)
    assert.match(stdout, /lakebase-native@\S+ is published already/)
    assert.equal(registry.published.length, 2)
  })

  test('without a platform package that the main package needs, publishes nothing', async () => {
    const incomplete = temporaryDirectory()
    const packed = await pack(incomplete)
    rmSync(packed.platform)
    await assert.rejects(script('publish.mjs', incomplete), (error) => error.stderr.includes(`${platformName}: ${name} needs version ${version}`))
    assert.equal(registry.published.length, 2)
  })
})

test('npm run check:published installs what was published, and queries with it', { timeout: 300_000 }, async () => {
  const { stdout } = await script('check-published.mjs', version)
  assert.match(stdout, new RegExp(`${name}@${version} installs and runs on ${process.platform}-${process.arch}`))
})
