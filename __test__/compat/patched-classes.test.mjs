// Programs that change a class, a client or a query of node-postgres: what they put there is what runs.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

/** Runs `work` while `object[name]` is `make(original)`. */
async function patched(object, name, make, work) {
  const original = object[name]
  object[name] = make(original)
  try {
    return await work()
  } finally {
    object[name] = original
  }
}

compat('a client’s own query() from a connect listener runs every query', async ({ pool }) => {
  const opened = pool({ max: 2 })
  const seen = []
  opened.on('connect', (client) => {
    const { query } = client
    client.query = function (...args) {
      seen.push(args[0])
      return query.apply(this, args)
    }
  })
  for (let i = 0; i < 3; i++) await opened.query(`select ${i} as a`)
  return seen
})
compat('a client’s own query() from a checkout runs what comes after', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const seen = []
  await opened.query('select 1')
  const client = await opened.connect()
  const { query } = client
  client.query = function (...args) {
    seen.push(args[0])
    return query.apply(this, args)
  }
  client.release()
  for (let i = 0; i < 3; i++) await opened.query(`select ${i} as a`)
  return seen
})
for (const [what, values] of [['plain', undefined], ['with values', [1]]]) {
  compat(`column names from a patched handleRowDescription, ${what}`, async ({ pg, pool }) => {
    const opened = pool({ max: 1 })
    const text = values ? 'select $1::int as foo_bar, now() > now() as is_later' : 'select 1 as foo_bar'
    const before = (await opened.query(text, values)).rows
    const camel = (original) =>
      function (message) {
        for (const field of message.fields) field.name = field.name.replace(/_(\w)/g, (_, letter) => letter.toUpperCase())
        return original.call(this, message)
      }
    const during = await patched(pg.Query.prototype, 'handleRowDescription', camel, async () => {
      const client = await opened.connect()
      const own = await client.query({ text, values, rowMode: 'array' })
      client.release()
      return [(await opened.query(text, values)).rows, own.rows, own.fields.map(({ name }) => name)]
    })
    return { before, during, after: (await opened.query(text, values)).rows }
  })
}
compat('rows from a patched parseRow, and an error between', async ({ pg, pool }) => {
  const opened = pool({ max: 1 })
  await opened.query('select 1')
  const tagged = (original) =>
    function (values) {
      return { ...original.call(this, values), tagged: true }
    }
  return patched(pg.Result.prototype, 'parseRow', tagged, async () => {
    const failed = await opened.query('select 1 / $1::int', [0]).catch((error) => error.code)
    const { rows, rowCount, command } = await opened.query('select g as number from generate_series(1, $1::int) g', [3])
    return { failed, rows, rowCount, command }
  })
})
