// Column names are data: whatever a name says, it is a key of the row and nothing more.
import { suite } from './harness.mjs'

const { compat, query } = await suite(import.meta.url)

const quoted = (name) => `"${name.replaceAll('"', '""')}"`
const names = [
  '__proto__', 'constructor', 'prototype', 'hasOwnProperty', 'toString', 'valueOf', 'toJSON', 'then', 'length', 'name', 'arguments', 'caller',
  '__defineGetter__', '__lookupSetter__', 'this', 'class', 'default', 'await', 'let', 'null', 'undefined', 'true', 'NaN', 'eval', 'return', 'new.target',
  `'"];throw 1//`, '"', "'", '`', '${1}', '`${process.exit(1)}`', '\\', '\\u0041', '\\n', '\n', '\r\n', '\t', ' ', '  a  ', '\u2028', '\u2029', '\ufeff',
  '*/', '//', '<!--', ']]>', 'a.b', 'a[0]', '0', '1', '-1', '01', '1.5', '1e3', '4294967295', '9007199254740993', 'a-b', 'a b', 'ä', 'é', '名前', '😀',
  '😀'.repeat(15), '\u202eabc', '?column?', 'A', '$1', ':a', '@', '#', '%s', '%', ';', '(', ')', '{', '}', ',', '=', 'x'.repeat(63),
]
for (const name of names) {
  query(`${JSON.stringify(name)} as the only column`, `select 1 as ${quoted(name)}`)
}
for (const name of ['__proto__', 'constructor', 'toString', '0', `'"];throw 1//`]) {
  query(`${JSON.stringify(name)} among others, with a null`, `select 1 as a, null as ${quoted(name)}, 'x' as b`)
  query(`${JSON.stringify(name)} twice`, `select 1 as ${quoted(name)}, 2 as ${quoted(name)}`)
  query(`${JSON.stringify(name)} with rowMode array`, () => ({ text: `select 1 as ${quoted(name)}`, rowMode: 'array' }))
}

compat('__proto__: what the row inherits and owns', async ({ client }) => {
  const connected = await client()
  const shown = []
  for (const value of ['1', 'null', `'{"admin":true}'::json`, `'[]'::json`, `'{1}'::int[]`]) {
    const { rows: [row] } = await connected.query(`select ${value} as "__proto__", 2 as b`)
    shown.push({ own: Object.hasOwn(row, '__proto__'), keys: Object.keys(row), plain: Object.getPrototypeOf(row) === Object.prototype, admin: row.admin, json: JSON.stringify(row) })
  }
  return { shown, polluted: {}.admin }
})

query('no name: the server gives ?column?', 'select 1, 2')
query('functions name their column', `select lower('A'), now() - now(), count(*), 1::int4, case when true then 1 end, array[1], row(1), exists (select 1), (select 5 as inner_name)`)
query('an empty name from a table function', 'select * from (select 1) as t')
query('a name cut to 63 bytes', `select 1 as ${'y'.repeat(80)}`)
query('63 bytes of emoji and one more', `select 1 as "${'😀'.repeat(16)}"`)
query('case is folded unless quoted', 'select 1 as MixedCase, 2 as "MixedCase"')
query('integer-like names are ordered first by JavaScript', 'select 1 as b, 2 as "10", 3 as a, 4 as "2", 5 as "02"')
query('two columns of one name, null last', 'select 1 as a, null as a')
query('two columns of one name, null first', 'select null as a, 1 as a')
query('three columns of one name and different types', `select 1 as a, 'x' as a, '2020-01-01'::date as a`)
query('all columns of one name', `select ${Array.from({ length: 50 }, (_, i) => `${i} as same`).join(', ')}`)
query('duplicates with rowMode array keep all', () => ({ text: 'select 1 as a, 2 as a, 3 as a', rowMode: 'array' }))
query('names that differ only by normal form', `select 1 as "é", 2 as "é"`)

compat('1,664 columns', async ({ client }) => (await client()).query(`select ${Array.from({ length: 1664 }, (_, i) => (i % 7 === 0 ? 'null' : `${i}`) + ` as c${i}`).join(', ')}`))
compat('1,664 columns with parameters and arrays', async ({ client }) =>
  (await client()).query({ text: `select ${Array.from({ length: 1664 }, (_, i) => `$1::int + ${i} as c${i}`).join(', ')}`, values: [5], rowMode: 'array' }))
compat('1,665 columns: the server refuses', async ({ client, capture }) => capture((await client()).query(`select ${Array.from({ length: 1665 }, (_, i) => `${i} as c${i}`).join(', ')}`)))
compat('many result shapes on one connection', async ({ client }) => {
  const connected = await client()
  const results = []
  for (let i = 0; i < 60; i++) {
    const { rows } = await connected.query(`select ${Array.from({ length: (i % 9) + 1 }, (_, c) => `${c} as "${i % 4}-${c}"`).join(', ')}`)
    results.push(rows)
  }
  return results
})
