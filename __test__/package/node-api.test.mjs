// The addon asks for no more of Node-API than version 8, which every Node.js from 12.22, Bun and Deno have.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import headers from 'node-api-headers'
import { root } from './installation.mjs'

const VERSION = 8
const [file] = readdirSync(join(root, 'npm/local')).filter((name) => name.endsWith('.node'))
const addon = readFileSync(join(root, 'npm/local', file))
const namesOf = ({ js_native_api_symbols, node_api_symbols }) => [...js_native_api_symbols, ...node_api_symbols]
const known = namesOf(headers.symbols[`v${VERSION}`])

test('every function that it looks up by name is of that version', () => {
  const newer = Object.entries(headers.symbols)
    .filter(([version]) => Number(version.slice(1)) > VERSION)
    .flatMap(([, symbols]) => namesOf(symbols))
    .filter((name) => !known.includes(name))
  assert.ok(newer.length > 5, 'the headers know of later versions')
  assert.deepEqual([...new Set(newer)].filter((name) => addon.includes(name)), [])
})

test('it looks functions up by name at all', () => {
  for (const name of ['napi_create_threadsafe_function', 'napi_define_class', 'napi_get_value_string_utf8']) assert.ok(addon.includes(name), name)
})

test('the runtime of this test has that version', () => {
  assert.ok(Number(process.versions.napi) >= VERSION)
})
