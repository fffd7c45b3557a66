// Named statements: prepared once per connection, and refused when a name is used for another text.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)
const prepared = `select name, statement, parameter_types::text, from_sql from pg_prepared_statements where name <> '' order by name`

compat('prepared once, run many times', async ({ client }) => {
  const connected = await client()
  const results = []
  for (const n of [1, 2, 3]) results.push(await connected.query({ name: 'one', text: 'select $1::int as n', values: [n] }))
  return results
})
compat('what the server knows of it', async ({ client }) => {
  const connected = await client()
  await connected.query({ name: 'one', text: 'select $1::int as n', values: [1] })
  await connected.query({ name: 'two', text: 'select $1::text as t', values: ['x'] })
  return connected.query(prepared)
})
compat('a name with another text', async ({ client, capture, callback, pg, once }) => {
  const connected = await client()
  await connected.query({ name: 'one', text: 'select 1 as a' })
  const done = callback()
  connected.query({ name: 'one', text: 'select 2 as b' }, done)
  await done.called
  const event = await once(connected.query(new pg.Query({ name: 'one', text: 'select 3' })), 'error')
  return { promise: await capture(connected.query({ name: 'one', text: 'select 2 as b' })), event, same: await connected.query({ name: 'one', text: 'select 1 as a' }), after: await connected.query('select 4 as c') }
})
compat('a name with another text that differs by a space', async ({ client, capture }) => {
  const connected = await client()
  await connected.query({ name: 'one', text: 'select 1 as a' })
  return capture(connected.query({ name: 'one', text: 'select 1 as a ' }))
})
compat('a name with another text, both sent at once', async ({ client, capture }) => {
  const connected = await client()
  return Promise.all([capture(connected.query({ name: 'one', text: 'select 1 as a' })), capture(connected.query({ name: 'one', text: 'select 2 as b' })), capture(connected.query('select 3 as c'))])
})
compat('a name without text', async ({ client, capture }) => {
  const connected = await client()
  await connected.query({ name: 'one', text: 'select $1::int as n', values: [1] })
  return [await capture(connected.query({ name: 'one', values: [2] })), await capture(connected.query({ name: 'unknown', values: [1] })), await connected.query('select 1 as after')]
})
compat('a text that fails to parse can be tried again with the name', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(connected.query({ name: 'one', text: 'select nope' })), await capture(connected.query({ name: 'one', text: 'select nope' })), await capture(connected.query({ name: 'one', text: 'select 1 as a' })), await capture(connected.query({ name: 'one', text: 'select 1 as a' }))]
})
compat('a text that parses and fails to run keeps its name', async ({ client, capture }) => {
  const connected = await client()
  const config = (n) => ({ name: 'one', text: 'select 10 / $1::int as n', values: [n] })
  return [await capture(connected.query(config(0))), await capture(connected.query(config(5))), await capture(connected.query({ name: 'one', text: 'select 1' }))]
})
compat('a value that the server refuses', async ({ client, capture }) => {
  const connected = await client()
  const config = (n) => ({ name: 'one', text: 'select $1::int as n', values: [n] })
  return [await capture(connected.query(config('x'))), await capture(connected.query(config(5))), await connected.query(prepared)]
})
compat('a name of 63 characters', async ({ client }) => {
  const connected = await client()
  const name = 'n'.repeat(63)
  return [await connected.query({ name, text: 'select 1 as a' }), await connected.query({ name, text: 'select 1 as a' })]
})
compat('a name of more than 63 characters warns on the console', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const client = new pg.Client(config)
    await client.connect()
    const name = 'n'.repeat(70)
    for (let i = 0; i < 2; i++) observe((await client.query({ name, text: 'select 1 as a' })).rows)
    observe((await client.query('select length(name) as n from pg_prepared_statements')).rows)
    await client.end()
  }))
compat('unusual names', async ({ client, capture }) => {
  const connected = await client()
  const results = []
  for (const name of ['with space', '"quoted"', "it's", '名前', '__proto__', 'constructor', 'toString', '0', ' ']) {
    results.push(await capture(connected.query({ name, text: 'select $1::text as a', values: [name] })), await capture(connected.query({ name, text: 'select $1::text as a', values: ['again'] })))
  }
  return results
})
compat('an empty name is no name', async ({ client, capture }) => {
  const connected = await client()
  return [await capture(connected.query({ name: '', text: 'select 1 as a' })), await capture(connected.query({ name: '', text: 'select 2 as b' })), (await connected.query(prepared)).rows]
})
compat('DEALLOCATE makes a name unknown to the server only', async ({ client, capture }) => {
  const connected = await client()
  const config = { name: 'one', text: 'select 1 as a' }
  await connected.query(config)
  await connected.query('deallocate one')
  return [await capture(connected.query(config)), await capture(connected.query(config)), await connected.query('select 2 as after')]
})
compat('DEALLOCATE ALL and DISCARD ALL with named statements', async ({ client, capture }) => {
  const results = []
  for (const statement of ['deallocate all', 'discard all']) {
    const connected = await client()
    const config = { name: 'one', text: 'select $1::int as a', values: [1] }
    await connected.query(config)
    await connected.query(statement)
    results.push(await capture(connected.query(config)), await capture(connected.query(config)), await connected.query('select $1::int as plain', [2]))
  }
  return results
})
compat('a name that SQL has prepared', async ({ client, capture }) => {
  const connected = await client()
  await connected.query('prepare one as select 5 as a')
  return [await capture(connected.query({ name: 'one', text: 'select 1 as a' })), await connected.query('execute one')]
})
compat('EXECUTE of a named statement in SQL', async ({ client, capture }) => {
  const connected = await client()
  await connected.query({ name: 'one', text: 'select $1::int + 1 as n', values: [1] })
  return [await capture(connected.query('execute one (41)')), await connected.query('select 1 as after')]
})
compat('each connection of a pool prepares for itself', async ({ pool }) => {
  const opened = pool({ max: 3 })
  const results = await Promise.all(Array.from({ length: 12 }, (_, i) => opened.query({ name: 'shared', text: 'select $1::int as n', values: [i] })))
  return results.map(({ rows }) => rows[0].n)
})
compat('names through a pool with max 1', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  await opened.query({ name: 'one', text: 'select 1 as a' })
  return [await capture(opened.query({ name: 'one', text: 'select 2 as b' })), await capture(opened.query({ name: 'one', text: 'select 2 as b' }))]
})
compat('a table changed under a named statement', { setup: 'create table t (a int); insert into t values (1)' }, async ({ client, capture }) => {
  const connected = await client()
  const config = { name: 'all', text: 'select * from t' }
  const results = [await capture(connected.query(config))]
  await connected.query(`alter table t add column b text default 'new'`)
  results.push(await capture(connected.query(config)), await capture(connected.query(config)), await capture(connected.query('select * from t')))
  return results
})
compat('a table changed under a named statement, in a transaction', { setup: 'create table t (a int); insert into t values (1)' }, async ({ client, capture }) => {
  const connected = await client()
  const config = { name: 'all', text: 'select * from t' }
  await connected.query(config)
  await connected.query('begin')
  await connected.query('alter table t add column b int')
  const results = [await capture(connected.query(config)), await capture(connected.query('select 1'))]
  await connected.query('rollback')
  results.push(await capture(connected.query(config)))
  return results
})
compat('rowMode and types may differ between runs of one name', async ({ client }) => {
  const connected = await client()
  const config = { name: 'one', text: 'select $1::int as a, 2 as a', values: [1] }
  return [await connected.query(config), await connected.query({ ...config, rowMode: 'array' }), await connected.query({ ...config, types: { getTypeParser: () => (text) => `<${text}>` } }), await connected.query({ ...config, binary: true })]
})
compat('the number of values may not differ', async ({ client, capture }) => {
  const connected = await client()
  await connected.query({ name: 'one', text: 'select $1::int as a', values: [1] })
  return [await capture(connected.query({ name: 'one', text: 'select $1::int as a', values: [] })), await capture(connected.query({ name: 'one', text: 'select $1::int as a', values: [1, 2] })), await connected.query({ name: 'one', text: 'select $1::int as a', values: [3] })]
})
compat('many names', async ({ client }) => {
  const connected = await client()
  for (let round = 0; round < 2; round++) for (let i = 0; i < 150; i++) await connected.query({ name: `s${i}`, text: `select ${i} as n` })
  return connected.query(`select count(*)::int as n from pg_prepared_statements where name like 's%'`)
})
