// What is in the packages: `npm run sbom` lists it in CycloneDX, and platform packages carry the licences.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { before, test } from 'node:test'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { pack, readJson, root, temporaryDirectory } from './installation.mjs'

const { name, version, dependencies } = readJson(root, 'package.json')
const directory = temporaryDirectory()
before(() => execFileSync('npm', ['run', '--silent', 'sbom', '--', directory], { cwd: root, shell: process.platform === 'win32' }))

const bill = (of) => readJson(directory, `${of}-${version}.cdx.json`)
const targets = readdirSync(join(root, 'npm')).filter((target) => target !== 'local')

test('there is a valid bill for each package', async () => {
  const names = [name, ...targets.map((target) => `${name}-${target}`)]
  assert.deepEqual(readdirSync(directory).sort(), names.map((one) => `${one}-${version}.cdx.json`).sort())
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6)
  for (const one of names) assert.equal(await validator.validate(readFileSync(join(directory, `${one}-${version}.cdx.json`), 'utf8')), null, one)
})

test('a platform package names the crates that are linked, with checksum and licence, and none that only tests or the compiler use', () => {
  const { components } = bill(`${name}-linux-x64-gnu`)
  const names = components.map((component) => component.name)
  for (const linked of ['tokio', 'rustls', 'ring', 'napi', 'postgres-protocol']) assert.ok(names.includes(linked), linked)
  for (const other of ['criterion', 'proptest', 'syn', 'napi-build', 'windows-sys']) assert.ok(!names.includes(other), other)
  for (const { name: crate, hashes, licenses } of components) assert.ok(hashes?.length === 1 && licenses?.length === 1, crate)
  assert.ok(bill(`${name}-win32-x64-msvc`).components.some((component) => component.name === 'windows-sys'))
})

test('the main package names what npm installs with it, what is bundled into it, and what depends on what', () => {
  const { components, dependencies: uses } = bill(name)
  for (const dependency of Object.keys(dependencies)) assert.ok(components.some((component) => component.name === dependency), dependency)
  for (const bundled of ['commander', 'pg-types']) assert.ok(components.some((component) => component.name === bundled), bundled)
  assert.ok(!components.some((component) => component.name === 'typescript'))
  assert.ok(uses.find(({ ref }) => ref === name).dependsOn.length >= Object.keys(dependencies).length)
})

test('a platform package carries the licence of every crate that is linked', async () => {
  const { platform } = await pack(temporaryDirectory())
  const target = basename(platform).replace(`${name}-`, '').replace(`-${version}.tgz`, '')
  const text = execFileSync('tar', ['-xOzf', platform, 'package/THIRD-PARTY-LICENSES.txt'], { encoding: 'utf8' })
  for (const { name: crate, version: of } of bill(`${name}-${target}`).components) assert.ok(text.includes(`\n${crate} ${of} (`), `${crate} ${of}`)
  assert.match(text, /Permission is hereby granted, free of charge/)
  assert.match(text, /Redistribution and use in source and binary forms/)
})
