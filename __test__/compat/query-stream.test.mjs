// pg-query-stream, unmodified, on both drivers.
import { loadExtension } from './drivers.mjs'
import { suite } from './harness.mjs'

const QueryStream = loadExtension('pg-query-stream')
const { compat } = await suite(import.meta.url)
const text = 'select n, $1::text as t from generate_series(1, 250) n'

async function rowsOf(stream) {
  const rows = []
  for await (const row of stream) rows.push(row)
  return rows
}
compat('all rows', async ({ client }) => rowsOf((await client()).query(new QueryStream(text, ['x']))))
compat('rowMode array, types, batchSize, highWaterMark', async ({ client }) => {
  const connected = await client()
  return [
    await rowsOf(connected.query(new QueryStream(text, ['x'], { rowMode: 'array' }))),
    await rowsOf(connected.query(new QueryStream(text, ['x'], { types: { getTypeParser: () => (value) => `<${value}>` } }))),
    await rowsOf(connected.query(new QueryStream(text, ['x'], { batchSize: 7 }))),
    await rowsOf(connected.query(new QueryStream(text, ['x'], { highWaterMark: 3 }))),
  ].map((rows) => [rows.length, rows[0], rows.at(-1)])
})
compat('no rows', async ({ client }) => rowsOf((await client()).query(new QueryStream('select 1 where false'))))
compat('an error in the text', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(rowsOf(connected.query(new QueryStream('select nope')))), await connected.query('select 1 as after')]
})
compat('an error in a later row', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(rowsOf(connected.query(new QueryStream('select 100 / (50 - n) as v from generate_series(1, 100) n', [], { batchSize: 10 })))), await connected.query('select 1 as after')]
})
compat('destroyed early, then the next query', async ({ client, once }) => {
  const connected = await client()
  const stream = connected.query(new QueryStream(text, ['x'], { batchSize: 10 }))
  const seen = []
  for await (const row of stream) {
    seen.push(row)
    if (seen.length === 5) break
  }
  return [seen, await connected.query('select 1 as after')]
})
compat('events', async ({ client, watch, once }) => {
  const connected = await client()
  const stream = watch(connected.query(new QueryStream('select n from generate_series(1, 3) n')), 'stream', ['data', 'end', 'error'])
  await once(stream, 'close')
})
compat('through pipeline', async ({ client }) => {
  const { pipeline } = await import('node:stream/promises')
  const { Writable } = await import('node:stream')
  const connected = await client()
  const seen = []
  await pipeline(connected.query(new QueryStream(text, ['x'])), new Writable({ objectMode: true, write(row, encoding, done) { seen.push(row.n); done() } }))
  return [seen.length, seen.at(-1), await connected.query('select 1 as after')]
})
compat('backpressure: a slow reader gets all rows', async ({ client }) => {
  const connected = await client()
  let sum = 0
  for await (const { n } of connected.query(new QueryStream('select n from generate_series(1, 500) n', [], { batchSize: 10 }))) {
    if (n % 100 === 0) await new Promise((resolve) => setImmediate(resolve))
    sum += n
  }
  return sum
})
compat('on a client of a pool, one after another', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const counts = []
  for (let i = 0; i < 3; i++) {
    const client = await opened.connect()
    counts.push((await rowsOf(client.query(new QueryStream(text, ['x'])))).length)
    client.release()
  }
  return counts
})
compat('50,000 rows', async ({ client }) => {
  const connected = await client()
  let sum = 0
  for await (const { n } of connected.query(new QueryStream('select n, repeat($$x$$, 50) as x from generate_series(1, 50000) n', [], { batchSize: 1000 }))) sum += n
  return sum
})
