// Random interleavings of pool calls: what each call gives, and what the counters say after it.
import fc from 'fast-check'

import { suite } from './harness.mjs'

const { statefulProperty } = await suite(import.meta.url)

const counts = (pool) => `${pool.totalCount}/${pool.idleCount}/${pool.waitingCount}${pool.ending ? ' ending' : ''}${pool.ended ? ' ended' : ''}`
const outcome = (promise) => promise.then((value) => ({ rows: value?.rows, command: value?.command }), (error) => ({ error: error.code ?? error.message }))

/**
 * Steps run one after another, each awaited, so that the counters after each are determined. `held` is a stack of
 * checked-out clients; steps that have no meaning in the present state are noted as such.
 */
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('query'), n: fc.nat(99) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('connect') }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('release'), at: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('destroy'), at: fc.nat(3) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('held query'), at: fc.nat(3), n: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('held error'), at: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('begin'), at: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('commit', 'rollback'), at: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('error') }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('burst'), n: fc.integer({ min: 2, max: 8 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('double release') }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('set'), at: fc.nat(3), n: fc.nat(9) }) },
)

async function interleave({ pool, note, capture, until }, { max, maxUses, steps }) {
  const opened = pool({ max, maxUses })
  opened.on('error', (error) => note('pool error', error.message))
  const held = []
  const at = (index) => held[index % held.length]
  for (const each of steps) {
    const { kind } = each
    if (kind === 'query') {
      if (held.length === max) note(kind, 'would wait')
      else note(kind, await outcome(opened.query('select $1::int as n', [each.n])))
    } else if (kind === 'error') {
      if (held.length === max) note(kind, 'would wait')
      else note(kind, await outcome(opened.query('select nope')))
    } else if (kind === 'connect') {
      if (held.length === max) note(kind, 'would wait')
      else held.push(await opened.connect())
    } else if (kind === 'burst') {
      // With maxUses it depends on who answers first how many connections are worn out afterwards.
      if (held.length === max || maxUses) note(kind, 'would wait')
      else note(kind, await Promise.all(Array.from({ length: each.n }, (_, i) => outcome(opened.query('select $1::int as n', [i])))))
    } else if (held.length === 0) {
      note(kind, 'nothing held')
    } else if (kind === 'release' || kind === 'destroy') {
      const [client] = held.splice(each.at % held.length, 1)
      const status = client.getTransactionStatus()
      if (status !== 'I') await client.query('rollback')
      await client.query('reset all')
      client.release(kind === 'destroy')
    } else if (kind === 'double release') {
      const client = held.pop()
      if (client.getTransactionStatus() !== 'I') await client.query('rollback')
      client.release()
      const again = await capture(() => client.release())
      note(kind, again.threw?.message)
    } else if (kind === 'held query') {
      note(kind, await outcome(at(each.at).query('select $1::int as n, current_setting($$my.setting$$, true) as s', [each.n])))
    } else if (kind === 'held error') {
      const client = at(each.at)
      note(kind, await outcome(client.query('select nope')), await outcome(client.query('select 1 as a')), client.getTransactionStatus())
    } else if (kind === 'set') {
      note(kind, await outcome(at(each.at).query(`set my.setting = '${each.n}'`)))
    } else {
      const client = at(each.at)
      note(kind, await outcome(client.query(kind)), client.getTransactionStatus())
    }
    note(kind, counts(opened))
  }
  const ended = opened.end()
  note('end', counts(opened))
  for (const client of held) client.release()
  await ended
  note('ended', counts(opened), await outcome(opened.query('select 1')))
}

for (const max of [1, 2, 3, 5]) {
  statefulProperty(`steps one after another, max ${max}`, fc.record({ max: fc.constant(max), maxUses: fc.constantFrom(undefined, undefined, 2, 5), steps: fc.array(step, { minLength: 5, maxLength: 30 }) }), interleave, { numRuns: 12 })
}

/** Everything is started at once; each caller's own outcome is determined, whichever connection serves it. */
const caller = fc.oneof(
  fc.record({ kind: fc.constant('query'), n: fc.nat(99) }),
  fc.record({ kind: fc.constant('error') }),
  fc.record({ kind: fc.constant('named'), n: fc.nat(99) }),
  fc.record({ kind: fc.constant('multi') }),
  fc.record({ kind: fc.constant('transaction'), n: fc.nat(99), commit: fc.boolean() }),
  fc.record({ kind: fc.constant('checkout'), n: fc.nat(5), destroy: fc.boolean() }),
  fc.record({ kind: fc.constant('temp') }),
  fc.record({ kind: fc.constant('callback'), n: fc.nat(99) }),
)
async function storm({ pool, capture }, { max, callers }) {
  const opened = pool({ max })
  const outcomes = await Promise.all(callers.map(async (each, i) => {
    switch (each.kind) {
      case 'query':
        return outcome(opened.query('select $1::int as n, $2::text as t', [each.n, `caller ${i}`]))
      case 'error':
        return outcome(opened.query('select $1::int / 0', [i]))
      case 'named':
        return outcome(opened.query({ name: 'storm', text: 'select $1::int + 1 as n', values: [each.n] }))
      case 'multi':
        return opened.query(`select ${i} as a; select ${i} + 1 as b`).then((results) => results.map(({ rows }) => rows))
      case 'callback':
        return new Promise((resolve) => opened.query('select $1::int as n', [each.n], (error, result) => resolve(error?.code ?? result.rows)))
    }
    const client = await opened.connect()
    let destroy = false
    try {
      if (each.kind === 'transaction') {
        await client.query('begin')
        await client.query('insert into t values ($1)', [i])
        const inside = await client.query('select count(*)::int as n from t where v = $1', [i])
        await client.query(each.commit ? 'commit' : 'rollback')
        return [inside.rows, client.getTransactionStatus()]
      }
      if (each.kind === 'checkout') {
        destroy = each.destroy
        const seen = []
        for (let k = 0; k < each.n; k++) seen.push(await outcome(client.query(k === 2 ? 'select nope' : `select ${k} as k`)))
        return seen
      }
      await client.query(`create temp table mine on commit preserve rows as select ${i} as v`)
      const seen = await client.query('select v from mine')
      await client.query('drop table mine')
      return seen.rows
    } finally {
      client.release(destroy)
    }
  }))
  const stored = await opened.query('select v from t order by v')
  const before = counts(opened)
  await opened.end()
  return { outcomes, stored: stored.rows, fits: opened.totalCount <= max, within: Number(before.split('/')[0]) <= max, waiting: before.split('/')[2] }
}
for (const max of [1, 2, 3, 4]) {
  statefulProperty(`everything at once, max ${max}`, fc.record({ max: fc.constant(max), callers: fc.array(caller, { minLength: 3, maxLength: 30 }) }), storm, { numRuns: 12, setup: 'create table t (v int)' })
}

/** Queries on one client, some awaited and some not. */
const text = fc.constantFrom('select 1 as a', 'select 1 as a; select 2 as b', '', 'select nope', 'begin', 'commit', 'rollback', 'select 1/0', 'create temp table if not exists x (a int)', 'insert into x values (1) returning a', 'select count(*)::int from x', 'set my.s = 1', `select current_setting('my.s', true)`, 'show my.s', 'select pg_sleep(0.001)', 'copy (select 1) to stdout', 'deallocate all', `do $$ begin raise notice 'n'; end $$`)
statefulProperty('one client, queries awaited or not', fc.array(fc.record({ text, wait: fc.boolean(), form: fc.constantFrom('simple', 'extended', 'callback') }), { minLength: 3, maxLength: 25 }), async ({ client, note }, queries) => {
  const connected = await client()
  connected.on('notice', (notice) => note('notice', notice.message))
  const running = []
  const show = (result) => [result].flat().map(({ rows, command, rowCount }) => ({ rows, command, rowCount }))
  for (const [i, { text, wait, form }] of queries.entries()) {
    const answered = form === 'callback'
      ? new Promise((resolve) => connected.query(text, (error, result) => { note('callback', i); resolve(error ? error.code : show(result)) }))
      : connected.query(form === 'extended' ? { text, queryMode: 'extended' } : text).then(show, (error) => error.code).finally(() => note('settled', i))
    running.push(answered)
    if (wait) await answered
  }
  return Promise.all(running)
}, { numRuns: 40 })
