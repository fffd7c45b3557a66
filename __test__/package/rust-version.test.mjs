// The oldest Rust that Cargo.toml promises: no dependency needs a newer one. What the crate's own code may use of the standard library,
// clippy's `incompatible_msrv` checks against the same number; the workflow ci.yml compiles with that toolchain.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { root } from './installation.mjs'

const metadata = execFileSync('cargo', ['metadata', '--format-version', '1', '--locked'], { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 })
const { packages } = JSON.parse(metadata)
const numbers = (version) => version.split('.').map(Number)

function isNewer(version, than) {
  const [a, b] = [numbers(version), numbers(than)]
  const at = [0, 1, 2].find((index) => (a[index] ?? 0) !== (b[index] ?? 0))
  return at !== undefined && (a[at] ?? 0) > (b[at] ?? 0)
}

test('no dependency needs a newer Rust than Cargo.toml declares', () => {
  const { rust_version: declared } = packages.find(({ name }) => name === 'lakebase-native')
  assert.match(declared, /^\d+\.\d+$/)
  const newer = packages.filter(({ rust_version: needed }) => needed && isNewer(needed, declared))
  assert.deepEqual(newer.map(({ name, version, rust_version: needed }) => `${name} ${version} needs Rust ${needed}`), [])
})

test('versions are compared by number', () => {
  assert.deepEqual([isNewer('1.100', '1.88'), isNewer('1.88.0', '1.88'), isNewer('1.88.1', '1.88'), isNewer('1.9', '1.88')], [true, false, true, false])
})
