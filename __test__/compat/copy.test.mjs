// COPY sent as an ordinary query: pg has no stream for it, and says so.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)
const setup = 'create table t (a int, b text); insert into t values (1, $$one$$), (2, null)'

const refused = {
  'COPY FROM STDIN': 'copy t from stdin',
  'COPY FROM STDIN with a format': 'copy t (a, b) from stdin with (format csv, header)',
  'COPY FROM STDIN binary': 'copy t from stdin with (format binary)',
  'COPY TO STDOUT': 'copy t to stdout',
  'COPY of a query TO STDOUT': 'copy (select * from t order by a) to stdout with (format csv, header)',
  'COPY TO STDOUT binary': 'copy t to stdout with (format binary)',
  'COPY TO STDOUT of no rows': 'copy (select 1 where false) to stdout',
  'COPY of an unknown table': 'copy nowhere from stdin',
  'COPY to a file that may not be written': `copy t to '/nonexistent/file'`,
  'COPY among other statements': 'select 1 as a; copy t to stdout; select 2 as b',
  'COPY FROM STDIN among other statements': 'select 1 as a; copy t from stdin; select 2 as b',
}
for (const [name, text] of Object.entries(refused)) {
  compat(name, { setup }, async ({ client, capture }) => {
    const connected = await client()
    return { outcome: await capture(connected.query(text)), after: await connected.query('select count(*)::int from t'), status: connected.getTransactionStatus() }
  })
}
for (const direction of ['from stdin', 'to stdout']) {
  compat(`COPY ${direction} with values`, { setup }, async ({ client, capture }) => {
    const connected = await client()
    return [await capture(connected.query(`copy t ${direction}`, [1])), await connected.query('select 1 as after')]
  })
  compat(`COPY ${direction} through a pool`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max: 1 })
    return [await capture(opened.query(`copy t ${direction}`)), await opened.query('select 1 as after')]
  })
  compat(`COPY ${direction} in a transaction`, { setup }, async ({ client, capture }) => {
    const connected = await client()
    await connected.query('begin')
    const outcome = await capture(connected.query(`copy t ${direction}`))
    const next = await capture(connected.query('select 1 as a'))
    const status = connected.getTransactionStatus()
    await connected.query('rollback')
    return { outcome, next, status }
  })
  compat(`COPY ${direction} with a callback and row events`, { setup }, async ({ client, pg, callback, watch, settle }) => {
    const connected = await client()
    const done = callback()
    watch(connected.query(new pg.Query(`copy t ${direction}`, done)), 'query', ['row', 'end', 'error'])
    await done.called
    await connected.query('select 1')
  })
}
compat('COPY TO STDOUT, extended', { setup }, async ({ client, capture }) => {
  const connected = await client()
  return [await capture(connected.query({ text: 'copy t to stdout', queryMode: 'extended' })), await connected.query('select 1 as after')]
})
compat('a COPY with many rows between queries sent at once', { setup }, async ({ client, capture }) => {
  const connected = await client()
  return Promise.all(['select 1 as a', 'copy (select n, repeat($$x$$, 100) from generate_series(1, 3000) n) to stdout', 'select 2 as b', 'copy t from stdin', 'select 3 as c'].map((text) => capture(connected.query(text))))
})
