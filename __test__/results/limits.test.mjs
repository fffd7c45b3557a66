// Small, large and strange results.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create table empty_table (id int, note text)' })

test('no rows still have their columns', async () => {
  const { rows, rowCount, fields, command } = await app.pool().query('select * from empty_table')
  assert.deepEqual({ rows, rowCount, command }, { rows: [], rowCount: 0, command: 'SELECT' })
  assert.deepEqual(fields.map(({ name }) => name), ['id', 'note'])
})

test('rows without columns', async () => {
  const { rows, rowCount } = await app.pool().query('select from generate_series(1, 3)')
  assert.deepEqual([rows, rowCount], [[{}, {}, {}], 3])
})

test('1,664 columns, as many as there can be', async () => {
  const list = range(1664).map((index) => `${index} as c${index}`).join(', ')
  for (const values of [undefined, [true]]) {
    const { rows, fields } = await app.pool().query(`select ${list} from generate_series(1, 3)${values ? ' where $1' : ''}`, values)
    assert.equal(fields.length, 1664)
    for (const row of rows) assert.deepEqual(Object.values(row), range(1664))
  }
})

test('a text of 1 MB, and one of 64 MB', async () => {
  const pool = app.pool({ max: 1 })
  for (const size of [1 << 20, 64 << 20]) {
    const { rows } = await pool.query("select repeat('é', $1) as text", [size / 2])
    assert.equal(Buffer.byteLength(rows[0].text), size)
    assert.ok(/^é+$/.test(rows[0].text.slice(0, 1000)) && rows[0].text.endsWith('é'))
  }
})

test('a large parameter', async () => {
  const text = 'ü'.repeat(8 << 20)
  const digest = createHash('md5').update(text).digest('hex')
  const { rows } = await app.pool().query('select md5($1) = $2 as same, length($1) as length', [text, digest])
  assert.deepEqual(rows, [{ same: true, length: text.length }])
})

test('a million rows', async () => {
  const { rows, rowCount } = await app.pool().query("select number, number::text as text from generate_series(1, 1000000) as number")
  assert.equal(rowCount, 1_000_000)
  assert.deepEqual([rows[0], rows[499_999], rows[999_999]], [1, 500_000, 1_000_000].map((number) => ({ number, text: String(number) })))
})

test('texts of every kind of character, of every length around the bounds of buffers', async () => {
  const alphabet = ['a', 'é', '€', '🚀', '\u{10ffff}', '\u0001', '\n', '"', '\\', '\u2028', 'ﬀ', 'e\u0301']
  const texts = [...alphabet, ...alphabet.map((letter) => letter.repeat(5000)), ...range(40).map((index) => 'x'.repeat(8150 + index) + 'ü')]
  const pool = app.pool({ max: 2 })
  const { rows } = await pool.query('select * from unnest($1::text[]) as text', [texts])
  assert.deepEqual(rows.map(({ text }) => text), texts)
  const echoes = await Promise.all(texts.map((text) => pool.query('select $1::text as text', [text])))
  assert.deepEqual(echoes.map(({ rows }) => rows[0].text), texts)
})

test('a lone surrogate becomes the replacement character, as in node-postgres', async () => {
  assert.equal((await app.pool().query('select $1::text as text', ['a\ud800b'])).rows[0].text, 'a\ufffdb')
})

test('a NUL in a text is refused with words that say so, and the connection stays', async () => {
  const pool = app.pool({ max: 1 })
  for (const attempt of [
    () => pool.query('select $1::text', ['a\0b']),
    () => pool.query("select 'a\0b'"),
    () => pool.query({ name: 'a\0b', text: 'select 1' }),
    () => pool.query('select $1::jsonb', [{ text: 'a\0b' }]),
  ]) {
    assert.match((await failureOf(attempt)).message, /NUL|0x00|null byte|\\u0000|Unicode escape/i)
    assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  }
  assert.equal(app.emulator.counts.logins.accepted, 1)
})

test('too many parameters are refused, and the connection stays', async () => {
  const pool = app.pool({ max: 1 })
  const most = range(65_535)
  const { rows } = await pool.query(`select ${most.length}::int as count where $1 = any(array[${most.map((index) => `$${index + 1}`)}]::int[])`, most)
  assert.equal(rows[0].count, 65_535)
  const values = range(65_536)
  assert.match((await failureOf(pool.query(`select array[${values.map((index) => `$${index + 1}`)}]::int[]`, values))).message, /65535|parameters/)
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
})
