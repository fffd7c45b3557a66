// Statements that hold nothing.
import { suite } from './harness.mjs'

const { compat, query } = await suite(import.meta.url)

const texts = ['', ' ', '\n\t', ';', ';;;', ' ; ; ', '-- only a comment', '/* only a comment */', '-- comment\n;', '/* /* nested */ */;']
for (const text of texts) {
  query(`simple ${JSON.stringify(text)}`, text)
  query(`extended ${JSON.stringify(text)}`, () => ({ text, queryMode: 'extended' }))
}
query('with an empty array of values', '', [])
query('with values', '', [1])
query('a comment with values', '-- nothing', [1])
query('rowMode array', () => ({ text: '', rowMode: 'array' }))
query('a comment before a statement', '-- first\nselect 1 as a')
query('a comment after a statement', 'select 1 as a -- last')
query('empty statements around a statement', ';;select 1 as a;;')

compat('named', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(connected.query({ name: 'empty', text: '' })), await capture(connected.query({ name: 'empty', text: '' })), await connected.query('select 1 as after')]
})

compat('with `rows` set', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(connected.query({ text: ' ', rows: 5 })), await connected.query('select 1 as after')]
})

compat('no text at all', async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (const config of [{}, { text: undefined }, { text: null }, { text: 5 }, { values: [1] }, { name: 'n' }, { name: 5 }]) {
    results.push(await capture(connected.query(config)))
  }
  return [results, await connected.query('select 1 as after')]
})

compat('null and undefined queries throw at once', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(() => connected.query(null)), await capture(() => connected.query(undefined)), await capture(() => connected.query())]
})

compat('null and undefined queries on a pool', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const results = [await capture(() => opened.query(null)), await capture(() => opened.query(undefined)), await capture(() => opened.query())]
  return [results, opened.totalCount, opened.idleCount, await opened.query('select 1 as after')]
})

compat('many in a row, between statements', async ({ client }) => {
  const connected = await client()
  return Promise.all(['', 'select 1 as a', ';', 'select 2 as b', ''].map((text) => connected.query(text)))
})

compat('in a transaction', async ({ client }) => {
  const connected = await client()
  await connected.query('begin')
  const inside = await connected.query('')
  const status = connected.getTransactionStatus()
  await connected.query('commit')
  return { inside, status }
})
