// Random result shapes: 0 to 1,664 columns, any types, nulls, duplicate and unusual names, few and many rows.
import fc from 'fast-check'

import { suite } from './harness.mjs'
import { literal, samples } from './type-samples.mjs'

const { property, oracle } = await suite(import.meta.url)

const { rows } = await oracle.admin.query(`select typname as name from pg_type where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm') and typcategory <> 'A'`)
const usable = rows.map(({ name }) => name).filter((name) => samples[name])

const column = fc.record({
  type: fc.constantFrom(...usable),
  pick: fc.nat(),
  name: fc.oneof({ weight: 4, arbitrary: fc.string({ unit: fc.constantFrom(...'abcXY01 _"\'\\😀'), minLength: 1, maxLength: 6 }) }, { weight: 1, arbitrary: fc.constantFrom('__proto__', 'constructor', 'same', '0', '1', 'length') }),
  nullEvery: fc.option(fc.integer({ min: 1, max: 4 })),
})
/** A SELECT with these columns and this many rows; a column is null in every `nullEvery`-th row. */
function select(columns, count) {
  const expressions = columns.map(({ type, pick, name, nullEvery }) => {
    const value = `${literal(samples[type][pick % samples[type].length])}::pg_catalog."${type}"`
    const shown = nullEvery === null ? value : `case when n % ${nullEvery} = 0 then null else ${value} end`
    return `${shown} as "${name.replaceAll('"', '""')}"`
  })
  return `select ${expressions.join(', ')} from generate_series(1, ${count}) n`
}

const forms = fc.constantFrom({}, { rowMode: 'array' }, { queryMode: 'extended' }, { queryMode: 'extended', rowMode: 'array' })
property('few columns, few rows', fc.tuple(fc.array(column, { maxLength: 8 }), fc.nat(5), forms), (client, [columns, count, form]) => client.query({ text: select(columns, count), ...form }), { numRuns: 150 })
property('one column', fc.tuple(column, fc.nat(20), forms), (client, [only, count, form]) => client.query({ text: select([only], count), ...form }), { numRuns: 80 })
property('many columns', fc.tuple(fc.array(column, { minLength: 20, maxLength: 120 }), fc.nat(3), forms), (client, [columns, count, form]) => client.query({ text: select(columns, count), ...form }), { numRuns: 15 })
property('many rows', fc.tuple(fc.array(column, { minLength: 1, maxLength: 5 }), fc.integer({ min: 100, max: 2000 }), forms), (client, [columns, count, form]) => client.query({ text: select(columns, count), ...form }), { numRuns: 12 })
property('0 to 1,664 columns', fc.tuple(fc.oneof(fc.integer({ min: 0, max: 1664 }), fc.constantFrom(0, 1, 1663, 1664)), fc.integer({ min: 1, max: 9 }), forms), (client, [width, repeat, form]) =>
  client.query({ text: `select ${Array.from({ length: width }, (_, i) => `${i % repeat === 0 ? 'null' : i}${i % 2 ? '::text' : ''} as "c${Math.floor(i / repeat)}"`).join(', ')}`, ...form }), { numRuns: 20 })
property('only nulls', fc.tuple(fc.array(column.map((one) => ({ ...one, nullEvery: 1 })), { minLength: 1, maxLength: 10 }), fc.nat(4), forms), (client, [columns, count, form]) => client.query({ text: select(columns, count), ...form }), { numRuns: 40 })
property('duplicate names', fc.tuple(fc.array(column, { minLength: 2, maxLength: 12 }), fc.constantFrom('same', '__proto__', 'constructor', '0'), forms), (client, [columns, name, form]) => client.query({ text: select(columns.map((one) => ({ ...one, name })), 2), ...form }), { numRuns: 40 })
property('one statement, other values', fc.array(fc.tuple(fc.option(fc.integer({ min: -1000, max: 1000 })), fc.option(fc.string({ unit: 'grapheme', maxLength: 8 }))), { minLength: 1, maxLength: 12 }), async (client, list) => {
  const results = []
  for (const values of list) results.push(await client.query('select $1::int as a, $2::text as b, $1::int is null as c', values))
  return results
}, { numRuns: 25 })
property('several shapes in one text', fc.array(fc.tuple(fc.array(column, { maxLength: 4 }), fc.nat(3)), { minLength: 2, maxLength: 5 }), (client, list) => client.query(list.map(([columns, count]) => select(columns, count)).join(';')), { numRuns: 40 })
property('several shapes sent at once', fc.array(fc.tuple(fc.array(column, { maxLength: 4 }), fc.nat(3), forms), { minLength: 2, maxLength: 6 }), (client, list) => Promise.all(list.map(([columns, count, form]) => client.query({ text: select(columns, count), ...form }))), { numRuns: 25 })
property('large values among small ones', fc.array(fc.integer({ min: 0, max: 200_000 }), { minLength: 1, maxLength: 5 }), (client, sizes) => client.query(`select ${sizes.map((size, i) => `${i} as i${i}, repeat('é', ${size}) as t${i}`).join(', ')}`), { numRuns: 10 })
property('rows of very different sizes', fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 1, maxLength: 30 }), (client, sizes) => client.query('select s as size, repeat(chr(97 + s % 26), s) as t from unnest($1::int[]) s', [sizes]), { numRuns: 10 })
property('errors among rows', fc.tuple(fc.integer({ min: 1, max: 400 }), fc.integer({ min: 1, max: 400 }), forms), (client, [count, at, form]) => client.query({ text: `select 100 / (${at} - n) as v from generate_series(1, ${count}) n`, ...form }), { numRuns: 40, leastAnswered: 0.2 })
