// In a process that forbids making code from strings, results are the same.
import assert from 'node:assert/strict'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

deploy()

async function results() {
  const { createLakebasePool } = await import('lakebase-native')
  const pool = createLakebasePool()
  const text = `select number as int, number::int8 as int8, number / 3.0 as numeric, number::float8 / 7 as float8, number % 2 = 0 as bool,
    nullif('text ' || number, 'text 2') as text, '2024-01-01'::timestamptz + number * interval '1 day' as at, jsonb_build_object('n', number) as json,
    array[number, null] as list, '\\xff00'::bytea as bytes, number as "__proto__", number as "a b" from generate_series(1, 5) as number`
  const { rows } = await pool.query(text)
  const arrays = await pool.query({ text, rowMode: 'array' })
  console.log(JSON.stringify([rows, arrays.rows, Object.keys(rows[0]), arrays.fields]))
  await pool.end()
}

test('objects and arrays', async () => {
  const [allowed, forbidden] = [await run(results), await run(results, { execArgv: ['--disallow-code-generation-from-strings'] })]
  assert.deepEqual([forbidden.code, forbidden.stderr], [0, ''])
  assert.deepEqual(JSON.parse(forbidden.stdout), JSON.parse(allowed.stdout))
  assert.equal(JSON.parse(allowed.stdout)[0].length, 5)
})
