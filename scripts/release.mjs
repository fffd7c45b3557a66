/**
 * Makes a release of what is committed: one version for all packages and the crate, the changelog's section, a commit and its tag.
 *   npm run release -- minor    or patch, major, or a version such as 1.2.3 or 2.0.0-rc.1
 *
 * Nothing leaves this machine: pushing the tag starts the workflow release.yml, which builds, tests and publishes.
 */

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { manifest, root } from './entries.mjs'

const wanted = process.argv[2]
if (!wanted) throw new Error('say which version: npm run release -- patch, minor, major or 1.2.3')
if (git('status', '--porcelain') !== '') throw new Error('there are changes that are not committed')

// npm is a script on Windows, which only a shell runs.
const options = ['--no-git-tag-version', '--ignore-scripts', '--allow-same-version']
execFileSync('npm', ['version', wanted, ...options], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], shell: process.platform === 'win32' })
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const tag = `v${version}`
try {
  if (git('tag', '--list', tag) !== '') throw new Error(`the tag ${tag} is there already`)
  writeVersion()
} catch (error) {
  git('checkout', '--', '.')
  throw error
}
git('commit', '--quiet', '--all', '--message', `Release ${version}`)
git('tag', '--annotate', tag, '--message', `${manifest.name} ${version}`)
console.log(`${tag} is tagged. Publish it: git push origin HEAD ${tag}`)

function writeVersion() {
  for (const target of readdirSync(join(root, 'npm')).filter((name) => name !== 'local')) {
    edit(`npm/${target}/package.json`, /^( {2}"version": )".*"/m, `$1"${version}"`)
  }
  edit('Cargo.toml', /^(name = "lakebase-native"\nversion = )".*"/m, `$1"${version}"`)
  edit('Cargo.lock', /^(name = "lakebase-native"\nversion = )".*"/m, `$1"${version}"`)

  const changelog = readFileSync(join(root, 'CHANGELOG.md'), 'utf8')
  const [, unreleased] = /^## \[Unreleased\]\n(.*?)(?=^## \[|$(?![\s\S]))/ms.exec(changelog) ?? []
  if (!unreleased?.trim()) throw new Error('CHANGELOG.md has nothing under [Unreleased]')
  const today = new Date().toISOString().slice(0, 10)
  edit('CHANGELOG.md', /^## \[Unreleased\]\n/m, `## [Unreleased]\n\n## [${version}] - ${today}\n`)
}

function edit(file, pattern, replacement) {
  const path = join(root, file)
  const text = readFileSync(path, 'utf8')
  if (!pattern.test(text)) throw new Error(`${file} has no version where it used to be`)
  writeFileSync(path, text.replace(pattern, replacement))
}

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()
}
