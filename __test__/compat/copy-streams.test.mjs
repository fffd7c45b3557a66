// pg-copy-streams, unmodified, on both drivers.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { loadExtension } from './drivers.mjs'
import { suite } from './harness.mjs'

const { from, to } = loadExtension('pg-copy-streams')
const { compat } = await suite(import.meta.url)
const setup = 'create table t (a int, b text); create table target (a int, b text)'

async function textOf(stream) {
  const chunks = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}
compat('from: rows arrive', { setup }, async ({ client }) => {
  const connected = await client()
  const stream = connected.query(from('copy t from stdin'))
  await pipeline(Readable.from(['1\tone\n', '2\t\\N\n3\tth', 'ree\n']), stream)
  return { rowCount: stream.rowCount, rows: (await connected.query('select * from t order by a')).rows }
})
compat('from: csv', { setup }, async ({ client }) => {
  const connected = await client()
  await pipeline(Readable.from(['a,b\n', '1,"quoted, ""text"""\n']), connected.query(from('copy t from stdin with (format csv, header)')))
  return (await connected.query('select * from t')).rows
})
compat('from: nothing', { setup }, async ({ client }) => {
  const connected = await client()
  const stream = connected.query(from('copy t from stdin'))
  await pipeline(Readable.from([]), stream)
  return [stream.rowCount, await connected.query('select count(*)::int from t')]
})
compat('from: a row that does not fit', { setup }, async ({ client, capture }) => {
  const connected = await client()
  const failed = await capture(pipeline(Readable.from(['1\tone\n', 'x\ttwo\n']), connected.query(from('copy t from stdin'))))
  return [failed, await connected.query('select count(*)::int from t')]
})
compat('from: an unknown table', async ({ client, capture, once }) => {
  const connected = await client()
  const stream = connected.query(from('copy nowhere from stdin'))
  const [error] = await once(stream, 'error')
  return [error, await connected.query('select 1 as after')]
})
compat('from: the source fails', { setup }, async ({ client, capture }) => {
  const connected = await client()
  const source = Readable.from((async function* () {
    yield '1\tone\n'
    throw new Error('the source broke')
  })())
  const failed = await capture(pipeline(source, connected.query(from('copy t from stdin'))))
  return [failed, await connected.query('select count(*)::int from t')]
})
compat('from: 50,000 rows', { setup }, async ({ client }) => {
  const connected = await client()
  const stream = connected.query(from('copy t from stdin'))
  await pipeline(Readable.from(Array.from({ length: 500 }, (_, i) => Array.from({ length: 100 }, (_, k) => `${i * 100 + k}\trow\n`).join(''))), stream)
  return [stream.rowCount, await connected.query('select count(*)::int, sum(a)::int from t')]
})
compat('from: in a transaction that is rolled back', { setup }, async ({ client }) => {
  const connected = await client()
  await connected.query('begin')
  await pipeline(Readable.from(['1\tone\n']), connected.query(from('copy t from stdin')))
  const inside = (await connected.query('select * from t')).rows
  await connected.query('rollback')
  return [inside, (await connected.query('select * from t')).rows]
})
compat('to: rows leave', { setup: `${setup}; insert into t values (1, 'one'), (2, null), (3, E'tab\\there')` }, async ({ client }) => {
  const connected = await client()
  const stream = connected.query(to('copy t to stdout'))
  const text = await textOf(stream)
  return { text, rowCount: stream.rowCount, after: await connected.query('select 1 as after') }
})
compat('to: csv and binary', { setup: `${setup}; insert into t values (1, 'one')` }, async ({ client }) => {
  const connected = await client()
  return [await textOf(connected.query(to('copy t to stdout with (format csv, header)'))), await textOf(connected.query(to('copy t to stdout with (format binary)')))]
})
compat('to: nothing', { setup }, async ({ client }) => {
  const connected = await client()
  const stream = connected.query(to('copy t to stdout'))
  return [await textOf(stream), stream.rowCount]
})
compat('to: an unknown table', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(textOf(connected.query(to('copy nowhere to stdout')))), await connected.query('select 1 as after')]
})
compat('to: an error in a later row', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(textOf(connected.query(to('copy (select 100 / (50 - n) from generate_series(1, 100) n) to stdout')))), await connected.query('select 1 as after')]
})
compat('to: 50,000 rows', async ({ client }) => {
  const connected = await client()
  const text = await textOf(connected.query(to('copy (select n, repeat($$x$$, 30) from generate_series(1, 50000) n) to stdout')))
  return [text.length, text.split('\n').length]
})
compat('to: destroyed early through a pool', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  const stream = client.query(to('copy (select n from generate_series(1, 1000) n) to stdout'))
  for await (const _ of stream) break
  client.release(true)
  return opened.query('select 1 as after')
})
compat('from one table to another', { setup: `${setup}; insert into t select n, 'row ' || n from generate_series(1, 500) n` }, async ({ client }) => {
  const [source, target] = [await client(), await client()]
  await pipeline(source.query(to('copy t to stdout')), target.query(from('copy target from stdin')))
  return target.query('select count(*)::int, sum(a)::int from target')
})
compat('queries behind a copy wait for it', { setup }, async ({ client, note }) => {
  const connected = await client()
  const stream = connected.query(from('copy t from stdin'))
  const next = connected.query('select count(*)::int as n from t').then(({ rows }) => note('next', rows))
  await pipeline(Readable.from(['1\tone\n']), stream)
  await next
})
