/**
 * Publishes what `npm run pack -- <directory> --all` has made: the platform packages first, since the main package without them would be
 * installed and not load.
 *   npm run publish:packages -- <directory>             to the registry that npm is set to
 *   npm run publish:packages -- <directory> --dry-run   only shows what npm would send
 *
 * What the registry has already in this version is left out, so that a publication that broke off can be repeated. A prerelease gets the tag
 * `next`. On GitHub Actions each package gets a statement of its provenance.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { manifest } from './entries.mjs'

const { values, positionals } = parseArgs({ options: { 'dry-run': { type: 'boolean', default: false } }, allowPositionals: true })
if (positionals.length !== 1) throw new Error('name the directory of the tarballs: npm run publish:packages -- <directory>')
const directory = resolve(positionals[0])
// npm is a script on Windows, which only a shell runs.
const shell = process.platform === 'win32'

const tarballs = readdirSync(directory)
  .filter((file) => file.endsWith('.tgz'))
  .map((file) => ({ file: join(directory, file), ...read(join(directory, file)) }))
  .sort((a, b) => Number(a.name === manifest.name) - Number(b.name === manifest.name) || a.name.localeCompare(b.name))
check(tarballs)

for (const { file, name, version } of tarballs) {
  if (isPublished(name, version)) {
    console.log(`${name}@${version} is published already`)
    continue
  }
  const options = ['--access', 'public', '--ignore-scripts', ...(version.includes('-') ? ['--tag', 'next'] : [])]
  if (values['dry-run']) options.push('--dry-run')
  else if (process.env['GITHUB_ACTIONS']) options.push('--provenance')
  execFileSync('npm', ['publish', file, ...options], { stdio: ['ignore', 'inherit', 'inherit'], shell })
  console.log(`${name}@${version} ${values['dry-run'] ? 'would be' : 'is'} published`)
}

function read(tarball) {
  return JSON.parse(execFileSync('tar', ['-xOzf', tarball, 'package/package.json'], { encoding: 'utf8' }))
}

/** The main package and what it needs, all of one version, and nothing else. */
function check(packages) {
  const main = packages.at(-1)
  if (main?.name !== manifest.name) throw new Error(`no tarball of ${manifest.name} in ${directory}`)
  const expected = { ...main.optionalDependencies, [main.name]: main.version }
  const found = Object.fromEntries(packages.map(({ name, version }) => [name, version]))
  for (const name of new Set([...Object.keys(expected), ...Object.keys(found)])) {
    if (expected[name] !== found[name]) throw new Error(`${name}: ${main.name} needs version ${expected[name] ?? 'none'}, ${directory} has ${found[name] ?? 'none'}`)
  }
}

function isPublished(name, version) {
  const { status, stdout, stderr } = spawnSync('npm', ['view', `${name}@${version}`, 'version', '--json'], { encoding: 'utf8', shell })
  if (status === 0) return stdout.trim() !== ''
  if (`${stdout}${stderr}`.includes('E404')) return false
  throw new Error(`cannot ask the registry for ${name}: ${stderr}`)
}
