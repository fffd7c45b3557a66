// `npm run release`, in a clone of this repository.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { readJson, root, temporaryDirectory } from './installation.mjs'

const directory = temporaryDirectory()
let clone
let clones = 0
const git = (...args) => execFileSync('git', args, { cwd: clone, encoding: 'utf8' }).trim()
const read = (file) => readFileSync(join(clone, file), 'utf8')
const release = (version) => execFileSync('npm', ['run', '--silent', 'release', '--', version], { cwd: clone, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], shell: process.platform === 'win32' })

beforeEach(() => {
  clone = join(directory, String(clones++))
  execFileSync('git', ['clone', '--quiet', '--no-tags', root, clone])
  git('config', 'user.name', 'A maintainer')
  git('config', 'user.email', 'maintainer@example.com')
  // What is tested is what this checkout has, committed or not.
  for (const file of ['package.json', 'scripts/release.mjs']) writeFileSync(join(clone, file), readFileSync(join(root, file)))
  writeFileSync(join(clone, 'CHANGELOG.md'), '# Changelog\n\n## [Unreleased]\n\n### Added\n- Something.\n\n## [0.0.1] - 2026-01-01\n- The first.\n')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'Before the release')
})

test('sets one version everywhere, dates the changelog, commits and tags', () => {
  const output = release('7.8.9')
  assert.match(output, /git push origin HEAD v7\.8\.9/)
  for (const file of ['package.json', 'package-lock.json', ...readdirSync(join(clone, 'npm')).map((target) => `npm/${target}/package.json`)]) {
    assert.equal(readJson(clone, file).version, '7.8.9', file)
  }
  for (const file of ['Cargo.toml', 'Cargo.lock']) assert.match(read(file), /name = "lakebase-native"\nversion = "7\.8\.9"/, file)
  assert.match(read('CHANGELOG.md'), /## \[Unreleased\]\n\n## \[7\.8\.9\] - \d{4}-\d\d-\d\d\n\n### Added\n- Something\.\n\n## \[0\.0\.1\]/)
  assert.deepEqual([git('status', '--porcelain'), git('log', '-1', '--format=%s'), git('describe', '--exact-match')], ['', 'Release 7.8.9', 'v7.8.9'])
})

test('refuses a tree with changes and a tag that is there, and leaves the tree as it was', () => {
  const before = git('rev-parse', 'HEAD')
  const refused = (version, reason) => {
    assert.throws(() => release(version), (error) => reason.test(error.stderr))
    assert.deepEqual([git('rev-parse', 'HEAD'), git('status', '--porcelain')], [before, ''])
  }
  git('tag', 'v7.8.9')
  refused('7.8.9', /the tag v7\.8\.9 is there already/)
  writeFileSync(join(clone, 'new-file'), '')
  assert.throws(() => release('8.0.0'), (error) => /not committed/.test(error.stderr))
})

test('refuses a changelog without entries', () => {
  writeFileSync(join(clone, 'CHANGELOG.md'), '# Changelog\n\n## [Unreleased]\n\n## [0.0.1] - 2026-01-01\n- The first.\n')
  git('commit', '--quiet', '--all', '--message', 'Nothing to release')
  assert.throws(() => release('7.8.9'), (error) => /nothing under \[Unreleased\]/.test(error.stderr))
  assert.equal(git('status', '--porcelain'), '')
})
