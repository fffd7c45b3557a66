// What a caller keeps of a result keeps little else alive.
import assert from 'node:assert/strict'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

deploy()

/** Bytes that stay for each of many small values that are kept, each out of a large result of its own. */
async function measure(text, pick, KEPT) {
  const { createLakebasePool } = await import('lakebase-native')
  const pool = createLakebasePool({ max: 4 })
  const choose = new Function('rows', `return (${pick})(rows)`)
  const used = () => {
    for (let time = 0; time < 3; time++) gc()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }
  const kept = []
  const keep = async (count) => {
    for (let started = 0; started < count; started += 100) {
      const results = await Promise.all(Array.from({ length: 100 }, () => pool.query(text)))
      for (const { rows } of results) kept.push(choose(rows))
    }
  }
  await keep(500)
  const before = used()
  await keep(KEPT)
  console.log((used() - before) / KEPT, kept.length)
  await pool.end()
}

for (const [what, text, pick, count = 2_000] of [
  ['a 20-byte text out of 64 KiB of texts', "select repeat(chr(97 + number % 26), 20) as small, repeat('x', 1000) as large from generate_series(1, 64) as number", 'rows => rows[30].small', 10_000],
  ['a 20-byte part out of one text of 64 KiB', "select repeat('x', 65536) as large, 'a text of twenty byte' as small", 'rows => rows[0].small'],
  ['a number out of a large result', 'select number, repeat($$y$$, 1000) as large from generate_series(1, 64) as number', 'rows => rows[10].number'],
  ['a non-ASCII text out of 64 KiB of texts', "select repeat('é', 10) as small, repeat('ü', 500) as large from generate_series(1, 64) as number", 'rows => rows[30].small'],
]) {
  test(`${what}: at most 8 KiB each`, async () => {
    const { code, stdout, stderr } = await run(measure, { args: [text, pick, count], execArgv: ['--expose-gc', '--max-old-space-size=1024'] })
    assert.deepEqual([code, stderr], [0, ''])
    const [bytes] = stdout.split(' ').map(Number)
    assert.ok(bytes <= 8 * 1024, `${Math.round(bytes)} bytes for each`)
  })
}

test('results that are not kept leave nothing', async () => {
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool({ max: 4 })
    const used = () => {
      for (let time = 0; time < 3; time++) gc()
      return process.memoryUsage().rss
    }
    const ask = (count) => Promise.all(Array.from({ length: count }, () => pool.query("select repeat('x', 10000) as text from generate_series(1, 20)")))
    for (let round = 0; round < 10; round++) await ask(50)
    const before = used()
    for (let round = 0; round < 40; round++) await ask(50)
    console.log((used() - before) / 1024 / 1024)
    await pool.end()
  }
  const { code, stdout } = await run(main, { execArgv: ['--expose-gc'] })
  assert.equal(code, 0)
  assert.ok(Number(stdout) < 50, `${stdout} MiB more after 400 MB of results`)
})

test('a stream of a million rows needs no more memory at its end than at its beginning', async () => {
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool()
    const client = await pool.connect()
    const memory = []
    let rows = 0
    for await (const _row of client.stream("select g, md5(g::text) as hash, repeat('x', 50) as filler from generate_series(1, 1000000) g")) {
      if (++rows % 100_000 !== 0) continue
      gc()
      const { heapUsed, rss } = process.memoryUsage()
      memory.push([heapUsed / 2 ** 20, rss / 2 ** 20])
    }
    client.release()
    await pool.end()
    console.log(JSON.stringify([rows, memory.at(0), memory.at(-1)]))
  }
  const { code, stdout } = await run(main, { execArgv: ['--expose-gc'] })
  assert.equal(code, 0)
  const [rows, [heapFirst, residentFirst], [heapLast, residentLast]] = JSON.parse(stdout)
  assert.equal(rows, 1_000_000)
  assert.ok(heapLast - heapFirst < 5, `${heapLast - heapFirst} MiB more on the heap`)
  assert.ok(residentLast - residentFirst < 50, `${residentLast - residentFirst} MiB more in memory`)
})
