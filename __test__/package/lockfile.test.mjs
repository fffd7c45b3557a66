// package-lock.json serves every contributor, whatever registry and platform they have.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readJson, root } from './installation.mjs'

const { '': _checkout, ...packages } = readJson(root, 'package-lock.json').packages

test('the lockfile names no registry', () => {
  assert.deepEqual(Object.keys(packages).filter((path) => 'resolved' in packages[path]), [])
})

test('the lockfile holds a checksum of every package', () => {
  assert.deepEqual(Object.keys(packages).filter((path) => !packages[path].integrity), [])
})
