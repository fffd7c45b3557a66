/**
 * Writes a CycloneDX bill of materials for each package that is published:
 *   npm run sbom -- <directory>
 * A platform package's lists the crates that are linked into its addon, the main package's what npm installs with it, and what is bundled into
 * its files. Needs what `npm run build:ts` makes.
 */

import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { Contrib, Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library'
import spdx from 'spdx-expression-parse'
import { linkedCrates, rustTargets } from './crates.mjs'
import { manifest, root } from './entries.mjs'

const destination = resolve(process.argv[2] ?? '.')
mkdirSync(destination, { recursive: true })
for (const target of Object.keys(rustTargets)) write(`${manifest.name}-${target}`, addonParts(target))
write(manifest.name, mainParts())

/** @typedef {{ id: string, name: string, version: string, purl: string, license?: string, hashes: [string, string][], uses: string[] }} Part */

/** @returns {{ parts: Part[], entry: string[] }} */
function addonParts(target) {
  const { crates, entry } = linkedCrates(target)
  const parts = crates.map(({ id, name, version, license, checksum, dependencies }) => ({
    ...{ id, name, version, license, uses: dependencies },
    purl: `pkg:cargo/${name}@${version}`,
    hashes: [[Enums.HashAlgorithm['SHA-256'], checksum]],
  }))
  return { parts, entry }
}

/** @returns {{ parts: Part[], entry: string[] }} */
function mainParts() {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
  const bundled = bundledPackages()
  const parts = Object.entries(packages)
    .filter(([path, { dev, peer, optional }]) => path !== '' && (bundled.has(nameOf(path)) || !(dev || peer || optional)))
    .map(([path, { version, license, integrity, dependencies = {} }]) => ({
      ...{ id: nameOf(path), name: nameOf(path), version, license },
      uses: Object.keys(dependencies),
      purl: `pkg:npm/${nameOf(path).replace('@', '%40')}@${version}`,
      hashes: integrity ? [[Enums.HashAlgorithm['SHA-512'], Buffer.from(integrity.replace('sha512-', ''), 'base64').toString('hex')]] : [],
    }))
  return { parts, entry: [...Object.keys(manifest.dependencies ?? {}), ...bundled] }
}

function nameOf(path) {
  return path.split('node_modules/').at(-1)
}

/** The packages of which something is in a bundle of dist/, by the licences that stand beside it. */
function bundledPackages() {
  const files = readdirSync(join(root, 'dist'), { recursive: true }).filter((file) => basename(file) === 'LICENSES.txt')
  const headings = files.flatMap((file) => [...readFileSync(join(root, 'dist', file), 'utf8').matchAll(/^(\S+) \S+\n-+$/gm)])
  return new Set(headings.map(([, name]) => name))
}

function write(name, { parts, entry }) {
  const licenses = new Contrib.License.Factories.LicenseFactory(spdx)
  const described = new Models.Component(Enums.ComponentType.Library, name, {
    ...{ version: manifest.version, bomRef: name, purl: `pkg:npm/${name}@${manifest.version}` },
    licenses: new Models.LicenseRepository([licenses.makeFromString(manifest.license)]),
  })
  const components = new Map(parts.map((part) => [part.id, component(part, licenses)]))
  connect(described, entry, components)
  for (const { id, uses } of parts) connect(components.get(id), uses, components)
  const bom = new Models.Bom({ metadata: new Models.Metadata({ component: described }), components: new Models.ComponentRepository(components.values()) })
  // The same for the same package: of its content, not of the moment.
  const digest = createHash('sha256').update(JSON.stringify([name, manifest.version, parts])).digest('hex')
  bom.serialNumber = `urn:uuid:${digest.slice(0, 8)}-${digest.slice(8, 12)}-8${digest.slice(13, 16)}-8${digest.slice(17, 20)}-${digest.slice(20, 32)}`
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6))
  const file = join(destination, `${name}-${manifest.version}.cdx.json`)
  writeFileSync(file, `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`)
  console.log(file)
}

function component({ name, version, purl, license, hashes }, licenses) {
  return new Models.Component(Enums.ComponentType.Library, name, {
    ...{ version, purl, bomRef: purl },
    hashes: new Models.HashDictionary(hashes),
    licenses: new Models.LicenseRepository(license ? [licenses.makeFromString(license)] : []),
  })
}

function connect(component, uses, components) {
  for (const id of uses) {
    const used = components.get(id)
    if (used) component.dependencies.add(used.bomRef)
  }
}
