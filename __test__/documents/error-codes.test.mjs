// docs/errors.md has an entry for every code that an error of this package can have.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { readDocument, root } from './blocks.mjs'

const sources = execFileSync('git', ['ls-files', 'src', 'ts'], { cwd: root, encoding: 'utf8' })
  .trim()
  .split('\n')
  // Tests make errors, too; those of the emulator are PostgreSQL's and the workspace's, and those of programs end them.
  .filter((file) => /\.(rs|ts)$/.test(file) && !/tests?(\/|\.rs)|fake_server|^ts\/(emulator|cli|dev)\//.test(file))

/** In Rust `with_code("CODE")` or an argument of `coded()`, in TypeScript `code = 'CODE'` or `code: 'CODE'`; names of system errors aside. */
const coded = /(?:with_code\(|coded\([\w:, ]*?)"([A-Z][A-Z_]+)"|PASSWORD_ASKED_AGAIN: &str = "(\w+)"|\bcode(?: =|:) '([A-Z][A-Z_]+)'/g

test('every code', () => {
  const codes = new Set(sources.flatMap((file) => [...readDocument(file).matchAll(coded)].map(([, ...found]) => found.find(Boolean))))
  for (const known of ['CONFIGURATION_ERROR', 'CONNECTION_LOST', 'USER_POOLS_BUSY', 'PASSWORD_ASKED_AGAIN']) assert.ok(codes.has(known), `${known} is not found`)
  const described = new Set([...readDocument('docs/errors.md').matchAll(/`([A-Z][A-Z_]+)`/g)].map(([, code]) => code))
  assert.deepEqual([...codes].filter((code) => !described.has(code)), [])
})

test('a code of our own is made in one place', () => {
  // SQLSTATEs and the system's codes, which have no underscore, are made where they are read.
  const elsewhere = sources.filter((file) => file.endsWith('.rs') && !file.startsWith('src/error/'))
  assert.deepEqual(elsewhere.filter((file) => /with_code\(\s*"[A-Z]+_[A-Z_]+"/.test(readDocument(file))), [])
})

test('every class', () => {
  const classes = [...readDocument('ts/errors.ts').matchAll(/^export class (\w+) extends LakebaseError/gm)].map(([, name]) => name)
  const headings = [...readDocument('docs/errors.md').matchAll(/^## (\w+Error)$/gm)].map(([, name]) => name)
  assert.deepEqual(headings.sort(), classes.sort())
})
