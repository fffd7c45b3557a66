// Identifiers and literals made safe.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

const strings = ['', 'plain', 'MixedCase', 'two words', '"', '""', 'a"b', "'", "''", "it's", '\\', '\\\\', 'a\\b', "\\'", '$1', '$$', '\n', '\t', '\0', 'ünïcödé', '😀', ';drop table x;--', '%s', 'null', ' ', "E'x'", 'x'.repeat(100)]
const others = [null, undefined, 5, true, {}, [], Buffer.from('x'), Symbol('s'), 1n, new Date(0)]

for (const name of ['escapeIdentifier', 'escapeLiteral']) {
  compat(`${name} of strings`, async ({ pg }) => strings.map((text) => pg[name](text)))
  compat(`${name} of what is no string`, async ({ pg, capture }) => Promise.all(others.map((value) => capture(() => pg[name](value)))))
  compat(`client.${name}`, async ({ newClient, capture }) => {
    const fresh = newClient()
    return Promise.all([...strings, ...others].map((value) => capture(() => fresh[name](value))))
  })
  compat(`${name} on a prototype, unbound`, async ({ pg, capture }) => {
    const unbound = pg[name]
    return [await capture(() => unbound('a"b')), await capture(() => pg.Client.prototype[name]('a"b'))]
  })
}
compat('literals arrive as they were', async ({ client, pg }) => {
  const connected = await client()
  const safe = strings.filter((text) => !text.includes('\0'))
  return (await connected.query({ text: `select ${safe.map((text) => `${pg.escapeLiteral(text)}::text`).join(', ')}`, rowMode: 'array' })).rows[0].map((value, i) => [value, value === safe[i]])
})
compat('identifiers name what they say', async ({ client, pg }) => {
  const connected = await client()
  const safe = strings.filter((text) => text !== '' && !text.includes('\0'))
  return connected.query(`select ${safe.map((text, i) => `${i} as ${pg.escapeIdentifier(text)}`).join(', ')}`)
})
