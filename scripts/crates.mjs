/** The crates that are linked into the addon, and their licences. */

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from './entries.mjs'

/** Rust's names for the targets of npm/. */
export const rustTargets = {
  'darwin-arm64': 'aarch64-apple-darwin',
  'darwin-x64': 'x86_64-apple-darwin',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'win32-x64-msvc': 'x86_64-pc-windows-msvc',
}

/**
 * @typedef {object} Crate
 * @property {string} name
 * @property {string} version
 * @property {string} license an SPDX expression
 * @property {string[]} authors
 * @property {string | undefined} repository
 * @property {string} folder where its source is
 * @property {string} checksum SHA-256 of its archive
 * @property {string[]} dependencies ids of the linked crates that it uses
 * @property {string} id
 */

/**
 * What is linked into the addon for a target of npm/, sorted by name, without the addon itself: neither what only tests use, nor what runs
 * while compiling. `entry` lists the ids that the addon itself uses.
 *
 * @returns {{ crates: Crate[], entry: string[] }}
 */
export function linkedCrates(target) {
  const options = ['--format-version', '1', '--locked', '--filter-platform', rustTargets[target]]
  const { packages, resolve } = JSON.parse(execFileSync('cargo', ['metadata', ...options], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 }))
  const byId = new Map(packages.map((one) => [one.id, one]))
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]))
  const checksums = checksumsOfLockfile()
  const linkedBy = (id) =>
    nodes
      .get(id)
      .deps.filter(({ pkg, dep_kinds: kinds }) => kinds.some(({ kind }) => kind === null) && !isProceduralMacro(byId.get(pkg)))
      .map(({ pkg }) => pkg)

  const found = new Set([resolve.root])
  for (const id of found) for (const dependency of linkedBy(id)) found.add(dependency)
  found.delete(resolve.root)
  const crates = [...found].map((id) => {
    const { name, version, license, authors, repository, manifest_path: manifest } = byId.get(id)
    const crate = { id, name, version, license: license?.replaceAll('/', ' OR '), authors, repository: repository ?? undefined }
    return { ...crate, folder: dirname(manifest), checksum: checksums.get(`${name} ${version}`), dependencies: linkedBy(id) }
  })
  crates.sort((a, b) => a.name.localeCompare(b.name) || a.version.localeCompare(b.version))
  return { crates, entry: linkedBy(resolve.root) }
}

const isProceduralMacro = ({ targets }) => targets.some(({ kind }) => kind.includes('proc-macro'))

function checksumsOfLockfile() {
  const text = readFileSync(join(root, 'Cargo.lock'), 'utf8')
  const entries = text.matchAll(/^name = "(.*)"\nversion = "(.*)"\nsource = ".*"\nchecksum = "(.*)"$/gm)
  return new Map([...entries].map(([, name, version, checksum]) => [`${name} ${version}`, checksum]))
}

/** The text that a platform package carries beside its addon: each licence once, under the names of the crates that it covers. */
export function thirdPartyLicenses(target) {
  const covered = new Map()
  const { crates } = linkedCrates(target)
  for (const crate of crates) {
    for (const text of licenseTexts(crate)) {
      const key = text.replace(/\s+/g, ' ')
      covered.set(key, { text, crates: [...(covered.get(key)?.crates ?? []), crate] })
    }
  }
  const sections = [...covered.values()].map(({ text, crates: users }) => {
    const names = users.map(({ name, version, license }) => `${name} ${version} (${license})`)
    return `${'='.repeat(80)}\n${names.join('\n')}\n\n${text}\n`
  })
  return `The addon in this package is compiled from lakebase-native, from the standard library of Rust (Copyright (c) The Rust Project
Contributors; MIT OR Apache-2.0) and from these crates. Their licences follow.\n\n${sections.join('\n')}`
}

/** Of a choice of licences all texts are kept: each names who holds the rights. */
function licenseTexts({ name, license, authors, folder }) {
  const files = readdirSync(folder).filter((file) => /^(licen[cs]e|copying|copyright|notice|unlicense)/i.test(file))
  if (files.length > 0) return files.sort().map((file) => readFileSync(join(folder, file), 'utf8').trim())
  if (license.split(' OR ').includes('MIT')) return [mit(authors.join(', ') || `the authors of ${name}`)]
  throw new Error(`the crate ${name} has neither a file with its licence (${license}) nor one whose text is known here`)
}

/** The MIT licence, for crates that name it and leave out its text. */
const mit = (holders) => `MIT License

Copyright (c) ${holders}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY
CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE
SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.`
