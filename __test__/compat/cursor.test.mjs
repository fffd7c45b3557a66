// pg-cursor, unmodified, on both drivers.
import { loadExtension } from './drivers.mjs'
import { suite } from './harness.mjs'

const Cursor = loadExtension('pg-cursor')
const { compat } = await suite(import.meta.url)
const text = 'select n, $1::text as t from generate_series(1, 10) n'

compat('read in pages', async ({ client }) => {
  const connected = await client()
  const cursor = connected.query(new Cursor(text, ['x']))
  const pages = []
  for (let i = 0; i < 5; i++) pages.push(await cursor.read(4))
  await cursor.close()
  return [pages, await connected.query('select 1 as after')]
})
compat('read with a callback', async ({ client, callback }) => {
  const connected = await client()
  const cursor = connected.query(new Cursor(text, ['x']))
  const done = callback()
  cursor.read(3, done)
  await done.called
  const closed = callback('closed')
  cursor.close(closed)
  await closed.called
})
compat('close before the end, then the next query', async ({ client }) => {
  const connected = await client()
  const cursor = connected.query(new Cursor(text, ['x']))
  const page = await cursor.read(2)
  await cursor.close()
  return [page, await connected.query('select 1 as after')]
})
compat('close without reading', async ({ client }) => {
  const connected = await client()
  const cursor = connected.query(new Cursor(text, ['x']))
  await cursor.close()
  return connected.query('select 1 as after')
})
compat('no rows', async ({ client }) => {
  const connected = await client()
  const cursor = connected.query(new Cursor('select 1 as a where false'))
  const pages = [await cursor.read(2), await cursor.read(2)]
  await cursor.close()
  return pages
})
compat('rowMode array and types', async ({ client }) => {
  const connected = await client()
  const array = connected.query(new Cursor(text, ['x'], { rowMode: 'array' }))
  const rows = await array.read(2)
  await array.close()
  const typed = connected.query(new Cursor(text, ['x'], { types: { getTypeParser: () => (value) => `<${value}>` } }))
  const more = await typed.read(2)
  await typed.close()
  return [rows, more]
})
compat('an error in the text', async ({ client, capture }) => {
  const connected = await client()
  const cursor = connected.query(new Cursor('select nope'))
  return [await capture(cursor.read(1)), await connected.query('select 1 as after')]
})
compat('an error in a later row', async ({ client, capture }) => {
  const connected = await client()
  const cursor = connected.query(new Cursor('select 10 / (4 - n) as v from generate_series(1, 10) n'))
  return [await capture(cursor.read(2)), await capture(cursor.read(5)), await connected.query('select 1 as after')]
})
compat('a value that cannot be sent', async ({ client, capture }) => {
  const connected = await client()
  const cursor = connected.query(new Cursor('select $1::int as a', ['x']))
  const failed = await capture(cursor.read(1))
  // pg-cursor numbers its portals per process.
  failed.rejected.where = failed.rejected.where.replace(/C_\d+/, 'C_n')
  failed.rejected.length = 0
  return [failed, await connected.query('select 1 as after')]
})
compat('events', async ({ client, watch, once, settle }) => {
  const connected = await client()
  const cursor = watch(connected.query(new Cursor(text, ['x'])), 'cursor', ['row', 'end', 'close', 'error'])
  await cursor.read(20)
  await cursor.close()
  await settle()
})
compat('two cursors, one after the other', async ({ client }) => {
  const connected = await client()
  const pages = []
  for (const value of ['first', 'second']) {
    const cursor = connected.query(new Cursor(text, [value]))
    pages.push(await cursor.read(3))
    await cursor.close()
  }
  return pages
})
compat('queries queued behind a cursor wait for it', async ({ client, note }) => {
  const connected = await client()
  const cursor = connected.query(new Cursor(text, ['x']))
  const next = connected.query('select 1 as a').then(({ rows }) => note('next', rows))
  note('page', await cursor.read(2))
  await cursor.close()
  await next
})
compat('on a client of a pool', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  const cursor = client.query(new Cursor(text, ['x']))
  const page = await cursor.read(3)
  await cursor.close()
  client.release()
  return [page, await opened.query('select 1 as after')]
})
compat('in a transaction', async ({ client }) => {
  const connected = await client()
  await connected.query('begin')
  const cursor = connected.query(new Cursor(text, ['x']))
  const page = await cursor.read(3)
  await cursor.close()
  const result = await connected.query('commit')
  return [page, result]
})
compat('100,000 rows', async ({ client }) => {
  const connected = await client()
  const cursor = connected.query(new Cursor('select n from generate_series(1, 100000) n'))
  let [count, sum] = [0, 0]
  for (let page = await cursor.read(5000); page.length > 0; page = await cursor.read(5000)) {
    count += page.length
    for (const { n } of page) sum += n
  }
  await cursor.close()
  return { count, sum }
})
