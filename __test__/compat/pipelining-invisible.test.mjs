// A pool may put queries of several callers on one connection before the first is answered. Nobody may notice.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)
const setup = 'create table t (a int primary key, b text); insert into t select n, $$row $$ || n from generate_series(1, 20) n'
const short = ({ resolved, rejected }) => (rejected ? rejected.code ?? rejected.message : [resolved].flat().map(({ rows, rowCount, command }) => ({ rows, rowCount, command })))

for (const max of [1, 2, 3, 4]) {
  const label = `max ${max}`
  compat(`${label}: many SELECTs, each gets its own rows`, { setup }, async ({ pool }) => {
    const opened = pool({ max })
    const results = await Promise.all(Array.from({ length: 200 }, (_, i) => opened.query('select a, b, $2::int as n from t where a = $1', [(i % 20) + 1, i])))
    return results.map(({ rows }) => rows)
  })
  compat(`${label}: results of very different sizes`, { setup }, async ({ pool }) => {
    const opened = pool({ max })
    const results = await Promise.all(Array.from({ length: 40 }, (_, i) => opened.query('select n, $1::int as i from generate_series(1, $2::int) n', [i, (i % 5) * 400])))
    return results.map(({ rows, rowCount }) => [rowCount, rows.length, rows.every(({ n }, k) => n === k + 1), rows[0]?.i])
  })
  compat(`${label}: errors in the middle concern only their callers`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max })
    const texts = ['select 1 as a', 'select nope', 'select 2 as a', 'select 1/0', 'selec', 'select 3 as a', 'insert into t values (1)', `select 'x'::int`, 'select 4 as a', '']
    return (await Promise.all(Array.from({ length: 60 }, (_, i) => capture(opened.query(texts[i % texts.length]))))).map(short)
  })
  compat(`${label}: errors of every stage: parse, bind, execute, on extended queries`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max })
    const queries = [['select $1::int as a', [1]], ['select $1::int as a', ['x']], ['select nope where $1', [true]], ['select $1::int / 0 as a', [1]], ['select $1::int as a', [1, 2]], ['select $1::int as a', [Symbol('s')]], ['select $1::text as a', ['ok']]]
    return (await Promise.all(Array.from({ length: 42 }, (_, i) => capture(opened.query(...queries[i % queries.length]))))).map((one) => (one.rejected ? one.rejected.message : short(one)))
  })
  compat(`${label}: a failed query undoes only itself`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max })
    await Promise.all(Array.from({ length: 30 }, (_, i) => capture(opened.query(i % 3 === 1 ? 'insert into t values ($1, 1/0)' : 'insert into t values ($1, $2)', i % 3 === 1 ? [100 + i] : [100 + i, 'in']))))
    return opened.query('select a from t where a >= 100 order by a')
  })
  compat(`${label}: a multi-statement text is one transaction`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max })
    const outcomes = await Promise.all([
      capture(opened.query('select 1 as a')),
      capture(opened.query('insert into t values (201); insert into t values (202); select 1/0')),
      capture(opened.query('insert into t values (203); insert into t values (204)')),
      capture(opened.query('select 2 as a')),
    ])
    return [outcomes.map(short), (await opened.query('select a from t where a > 200 order by a')).rows]
  })
  compat(`${label}: SET on checked-out clients beside pool.query`, { setup }, async ({ pool }) => {
    const opened = pool({ max })
    const seen = []
    await Promise.all([
      ...Array.from({ length: max > 1 ? 2 : 1 }, async (_, i) => {
        const client = await opened.connect()
        await client.query(`set my.setting = 'own ${i}'`)
        for (let k = 0; k < 5; k++) seen.push((await client.query(`select current_setting('my.setting', true) as s`)).rows[0].s === `own ${i}`)
        await client.query('discard all')
        client.release()
      }),
      ...Array.from({ length: 30 }, () => opened.query(`select coalesce(current_setting('my.setting', true), '') = '' as clean`).then(({ rows }) => seen.push(rows[0].clean))),
    ])
    return seen
  })
  compat(`${label}: transactions beside pool.query`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max })
    const inTransaction = async (i, commit) => {
      const client = await opened.connect()
      await client.query('begin')
      await client.query('insert into t values ($1)', [300 + i])
      const own = (await client.query('select count(*)::int as n from t where a = $1', [300 + i])).rows[0].n
      await client.query(commit ? 'commit' : 'rollback')
      client.release()
      return own
    }
    const outcomes = await Promise.all([
      ...Array.from({ length: 6 }, (_, i) => inTransaction(i, i % 2 === 0)),
      ...Array.from({ length: 40 }, () => opened.query('select pg_current_xact_id_if_assigned() is null as outside').then(({ rows }) => rows[0].outside)),
    ])
    return [outcomes, (await opened.query('select a from t where a >= 300 order by a')).rows]
  })
  compat(`${label}: a slow query delays no more callers than it must`, async ({ pool, admin, untilWaiting }) => {
    const opened = pool({ max })
    const order = []
    await admin('select pg_advisory_lock(77)')
    const slow = opened.query('select pg_advisory_xact_lock(77)').then(() => order.push('slow'))
    const fast = Array.from({ length: 10 }, (_, i) => opened.query('select $1::int', [i]).then(() => order.push('fast')))
    await (max > 1 ? Promise.all(fast) : untilWaiting(1))
    await admin('select pg_advisory_unlock(77)')
    await Promise.all([slow, ...fast])
    return order
  })
  compat(`${label}: LISTEN and NOTIFY among queries`, { setup }, async ({ pool, until }) => {
    const opened = pool({ max })
    const heard = []
    const client = await opened.connect()
    client.on('notification', ({ payload }) => heard.push(payload))
    await client.query('listen pipe')
    if (max === 1) client.release()
    await Promise.all(Array.from({ length: 20 }, (_, i) => opened.query(i % 4 === 0 ? `select pg_notify('pipe', '${i}')` : 'select $1::int', i % 4 === 0 ? undefined : [i])))
    await until(() => heard.length === 5)
    if (max > 1) client.release()
    return heard.sort()
  })
  compat(`${label}: COPY among queries`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max })
    const texts = ['select 1 as a', 'copy t to stdout', 'select 2 as a', 'copy t from stdin', 'select 3 as a']
    return (await Promise.all(Array.from({ length: 25 }, (_, i) => capture(opened.query(texts[i % texts.length]))))).map(short)
  })
  compat(`${label}: SET, RESET, temp tables and DEALLOCATE through pool.query`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max })
    const texts = [`set work_mem = '5MB'`, 'select $1::int as a', 'reset all', 'create temp table if not exists x (a int)', 'drop table if exists pg_temp.x', 'deallocate all', 'discard plans', 'select 2 as a', 'begin; commit', 'show server_encoding']
    return (await Promise.all(Array.from({ length: 60 }, (_, i) => capture(opened.query(texts[i % texts.length], i % texts.length === 1 ? [i] : undefined))))).map(short)
  })
  compat(`${label}: BEGIN through pool.query, alone on its connection`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max: 1 })
    const outcomes = await Promise.all(['begin', 'insert into t values (400)', 'rollback', 'select count(*)::int as n from t where a = 400', 'begin', 'insert into t values (401)', 'commit', 'select count(*)::int as n from t where a = 401'].map((text) => capture(opened.query(text))))
    return outcomes.map(short)
  })
  compat(`${label}: named statements`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max })
    return (await Promise.all(Array.from({ length: 30 }, (_, i) => capture(opened.query({ name: `n${i % 3}`, text: `select $1::int + ${i % 3} as n`, values: [i] }))))).map(short)
  })
  compat(`${label}: rowMode, types and binary per query`, { setup }, async ({ pool }) => {
    const opened = pool({ max })
    const forms = [{}, { rowMode: 'array' }, { types: { getTypeParser: () => (text) => `<${text}>` } }, { queryMode: 'extended' }, { binary: true }]
    const results = await Promise.all(Array.from({ length: 30 }, (_, i) => opened.query({ text: 'select $1::int as a, $2::text as b', values: [i, 'x'], ...forms[i % forms.length] })))
    return results.map(({ rows, rowAsArray }) => [rows, rowAsArray])
  })
  compat(`${label}: DDL and the queries that need it, awaited`, async ({ pool, capture }) => {
    const opened = pool({ max })
    const outcomes = []
    for (let i = 0; i < 5; i++) {
      await opened.query(`create table made (c${i} int)`)
      await Promise.all(Array.from({ length: 6 }, (_, n) => opened.query('insert into made values ($1)', [n])))
      outcomes.push((await Promise.all(Array.from({ length: 6 }, () => capture(opened.query('select * from made order by 1'))))).map(short))
      await opened.query('drop table made')
    }
    return outcomes
  })
  compat(`${label}: a statement whose meaning changes between callers`, { setup }, async ({ pool, capture }) => {
    const opened = pool({ max })
    const select = () => Promise.all(Array.from({ length: 8 }, () => capture(opened.query('select * from t where a = $1', [1]))))
    const first = (await select()).map(short)
    await opened.query('alter table t add column c int default 3')
    const second = (await select()).map((one) => one.rejected?.code ?? one.resolved.fields.length)
    await opened.query('alter table t drop column b')
    return { first, second, third: (await select()).map((one) => one.rejected?.code ?? one.resolved.fields.map(({ name }) => name).join()) }
  })
  compat(`${label}: advisory locks taken and given by one caller each`, async ({ pool }) => {
    const opened = pool({ max })
    const outcomes = await Promise.all(Array.from({ length: 12 }, async (_, i) => {
      const client = await opened.connect()
      await client.query('select pg_advisory_lock($1)', [i % 3])
      const { rows } = await client.query('select pg_advisory_unlock($1) as had', [i % 3])
      client.release()
      return rows[0].had
    }))
    return outcomes
  })
  compat(`${label}: callbacks of one pool`, { setup }, async ({ pool, note }) => {
    const opened = pool({ max })
    const seen = await Promise.all(Array.from({ length: 30 }, (_, i) => new Promise((resolve) => opened.query(i % 7 === 3 ? 'select nope' : `select ${i} as n`, (error, result) => resolve(error ? error.code : result.rows[0].n)))))
    return seen
  })
  compat(`${label}: a client that is lost takes its queries along, no others`, async ({ pool, capture, admin, untilWaiting }) => {
    const opened = pool({ max })
    opened.on('error', () => {})
    const victim = capture(opened.query('select pg_sleep(10) as victim'))
    await untilWaiting(1)
    const others = max > 1 ? (await Promise.all(Array.from({ length: 10 }, (_, i) => capture(opened.query('select $1::int as n', [i]))))).map(short) : []
    await admin(`select pg_terminate_backend(pid) from pg_stat_activity where query like '%as victim' and pid <> pg_backend_pid() and datname = current_database()`)
    return { victim: (await victim).rejected.code, others, after: (await opened.query('select 1 as a')).rows }
  })
}
compat('a sum over many writers', { setup: 'create table counter (n int); insert into counter values (0)' }, async ({ pool }) => {
  const opened = pool({ max: 4 })
  await Promise.all(Array.from({ length: 200 }, () => opened.query('update counter set n = n + 1')))
  return opened.query('select n from counter')
})
compat('statement_timeout of a caller’s connection', async ({ pool, capture }) => {
  const opened = pool({ max: 1, statement_timeout: 500 })
  return (await Promise.all([capture(opened.query('select 1 as a')), capture(opened.query('select pg_sleep(5)')), capture(opened.query('select 2 as a'))])).map(short)
})
