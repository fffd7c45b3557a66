// What a session remembers, through a pool: with one connection it is there, with several it stays with its connection.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

for (const max of [1, 4]) {
  const label = `max ${max}`
  compat(`${label}: SET on a checked-out client is seen by it alone`, async ({ pool }) => {
    const opened = pool({ max })
    const client = await opened.connect()
    await client.query(`set application_name = 'changed'`)
    const own = await client.query('show application_name')
    let others = []
    if (max > 1) others = await Promise.all(Array.from({ length: 8 }, () => opened.query('show application_name')))
    client.release()
    return { own: own.rows, others: others.map(({ rows }) => rows) }
  })
  compat(`${label}: SET LOCAL ends with its transaction`, async ({ pool }) => {
    const opened = pool({ max })
    const client = await opened.connect()
    await client.query('begin')
    await client.query(`set local work_mem = '7MB'`)
    const inside = await client.query('show work_mem')
    await client.query('commit')
    const after = await client.query('show work_mem')
    client.release()
    return [inside.rows, after.rows]
  })
  compat(`${label}: a temp table belongs to its connection`, async ({ pool, capture }) => {
    const opened = pool({ max })
    const client = await opened.connect()
    await client.query('create temp table mine (a int)')
    await client.query('insert into mine values (1)')
    const others = max > 1 ? await Promise.all(Array.from({ length: 6 }, () => capture(opened.query('select * from mine')))) : []
    const own = await client.query('select * from mine')
    client.release()
    return { own, others: others.map(({ rejected }) => rejected?.code) }
  })
  compat(`${label}: advisory locks are held by their connection`, async ({ pool }) => {
    const opened = pool({ max })
    const client = await opened.connect()
    await client.query('select pg_advisory_lock(42)')
    const others = max > 1 ? await Promise.all(Array.from({ length: 6 }, () => opened.query('select pg_try_advisory_lock(42) as got'))) : []
    const again = await client.query('select pg_try_advisory_lock(42) as got')
    await client.query('select pg_advisory_unlock_all()')
    client.release()
    return { others: others.map(({ rows }) => rows[0].got), again: again.rows }
  })
  compat(`${label}: search_path on a checked-out client`, { setup: 'create table t as select 1 as v; create schema other; create table other.t as select 2 as v' }, async ({ pool }) => {
    const opened = pool({ max })
    const client = await opened.connect()
    const seen = [(await client.query('select v from t')).rows]
    await client.query('set search_path = other, public')
    seen.push((await client.query('select v from t')).rows)
    if (max > 1) seen.push((await Promise.all(Array.from({ length: 6 }, () => opened.query('select v from t')))).map(({ rows }) => rows[0].v))
    client.release()
    return seen
  })
  compat(`${label}: currval and lastval`, { setup: 'create sequence s' }, async ({ pool, capture }) => {
    const opened = pool({ max })
    const client = await opened.connect()
    await client.query(`select nextval('s')`)
    const seen = [(await client.query(`select currval('s'), lastval()`)).rows]
    if (max > 1) seen.push((await capture(opened.query(`select currval('s')`))).rejected?.code)
    client.release()
    return seen
  })
  compat(`${label}: SET ROLE and SESSION AUTHORIZATION`, async ({ pool }) => {
    const opened = pool({ max })
    const client = await opened.connect()
    await client.query('set role login_tls')
    const own = (await client.query('select current_user, session_user')).rows
    const others = max > 1 ? (await Promise.all(Array.from({ length: 5 }, () => opened.query('select current_user')))).map(({ rows }) => rows[0].current_user) : []
    await client.query('reset role')
    client.release()
    return { own, others }
  })
  compat(`${label}: a prepared statement in SQL`, async ({ pool, capture }) => {
    const opened = pool({ max })
    const client = await opened.connect()
    await client.query('prepare mine as select 7 as v')
    const own = await client.query('execute mine')
    const others = max > 1 ? await Promise.all(Array.from({ length: 5 }, () => capture(opened.query('execute mine')))) : []
    client.release()
    return { own, others: others.map(({ rejected }) => rejected?.code) }
  })
  compat(`${label}: the session of one query after another`, async ({ pool }) => {
    const opened = pool({ max })
    const seen = []
    for (let i = 0; i < 6; i++) seen.push((await opened.query('select pg_backend_pid() as pid')).rows[0])
    return seen
  })
}

compat('max 1: SET stays for the next caller', async ({ pool }) => {
  const opened = pool({ max: 1 })
  await opened.query(`set application_name = 'kept'`)
  return opened.query('show application_name')
})
compat('max 1: SET, then many at once', async ({ pool }) => {
  const opened = pool({ max: 1 })
  await opened.query(`set my.setting = 'kept'`)
  const results = await Promise.all(Array.from({ length: 10 }, () => opened.query(`select current_setting('my.setting') as v`)))
  return results.map(({ rows }) => rows[0].v)
})
compat('max 1: SETs and reads sent at once keep their order', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const results = await Promise.all(Array.from({ length: 12 }, (_, i) => opened.query(i % 3 === 0 ? `set my.setting = '${i}'` : `select current_setting('my.setting') as v`)))
  return results.map(({ rows, command }) => rows[0]?.v ?? command)
})
compat('max 1: a temp table stays for the next caller', async ({ pool }) => {
  const opened = pool({ max: 1 })
  await opened.query('create temp table kept as select 5 as v')
  return opened.query('select * from kept')
})
compat('max 1: DISCARD ALL', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  await opened.query('select $1::int as a', [1])
  await opened.query(`set my.setting = 'x'`)
  await opened.query('create temp table gone (a int)')
  const discarded = await opened.query('discard all')
  return [discarded, await opened.query('select $1::int as a', [2]), (await capture(opened.query('select * from gone'))).rejected?.code]
})
compat('max 1: an error in pool.query starts a new session', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  await opened.query(`set application_name = 'lost'`)
  await capture(opened.query('select nope'))
  return opened.query('show application_name')
})
compat('the session of onConnect holds for every caller', async ({ pool }) => {
  const opened = pool({ max: 3, onConnect: (client) => client.query(`set my.setting = 'everywhere'`) })
  const results = await Promise.all(Array.from({ length: 12 }, () => opened.query(`select current_setting('my.setting') as v`)))
  return results.map(({ rows }) => rows[0].v)
})
compat('settings of the connection: application_name, options, timeouts', async ({ pool }) => {
  const opened = pool({ max: 2, application_name: 'the app', options: '-c search_path=pg_catalog -c work_mem=5MB', statement_timeout: 12_345, lock_timeout: 2345, idle_in_transaction_session_timeout: 34_567 })
  const text = ['application_name', 'search_path', 'work_mem', 'statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'client_encoding', 'DateStyle', 'TimeZone', 'extra_float_digits', 'IntervalStyle', 'bytea_output'].map((name) => `current_setting('${name}') as "${name}"`)
  return opened.query(`select ${text.join(', ')}`)
})
compat('what a plain connection sets: nothing but the encoding', async ({ client }) =>
  (await client()).query(`select name, setting, source from pg_settings where source = 'client' order by name`))
