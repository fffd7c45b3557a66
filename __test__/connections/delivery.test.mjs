// What a server or a pooler says when it ends a connection, and whether the query that was on its way runs again (docs/delivery.md).
import assert from 'node:assert/strict'
import theirs from 'pg'
import { createLakebasePool } from 'lakebase-native'
import ours from 'lakebase-native/pg'
import { say, startFakeServer } from '../compat/fake-server.mjs'
import { test } from '../support/test.mjs'

const pools = {
  pg: (options) => new theirs.Pool(options),
  'lakebase-native/pg': (options) => new ours.Pool(options),
  createLakebasePool: (options) => createLakebasePool({ password: 'unused', ...options, ssl: false }),
}

const fatal = (code, fields) => say.error({ S: 'FATAL', V: 'FATAL', C: code, M: 'the end of the session', ...fields })
const ofServer = { F: 'postgres.c', L: '3301', R: 'ProcessInterrupts' }
const done = () => Buffer.concat([message('1'), message('2'), message('n'), say.commandComplete('INSERT 0 1'), say.ready()])
const message = (letter) => Buffer.from([letter.charCodeAt(0), 0, 0, 0, 4])

/** The outcome of one insert, and how many servers were asked to run it, when the first one answers with `last` and hangs up. */
async function insertAgainst(open, last) {
  let asked = 0
  const server = await startFakeServer((socket, { letter }) => {
    if (letter === null) socket.write(say.welcome())
    if (letter !== 'S') return
    if (++asked > 1) socket.write(done())
    else socket.end(last)
  })
  const pool = open({ host: server.host, port: server.port, user: 'tester', database: 'tester', max: 1 })
  pool.on('error', () => {})
  const outcome = await pool.query('insert into ledger values ($1)', [1]).then(({ rowCount }) => rowCount, (error) => error.code ?? error.message)
  await pool.end()
  await server.close()
  return { asked, outcome: outcome === 'CONNECTION_LOST' ? 'Connection terminated unexpectedly' : outcome }
}

for (const [what, last, expected] of [
  ["a pooler's FATAL 08P01", fatal('08P01'), '08P01'],
  ["a pooler's FATAL 57P01", fatal('57P01'), '57P01'],
  ["PostgreSQL's FATAL of class 08", fatal('08006', ofServer), '08006'],
  ["PostgreSQL's FATAL of another code", fatal('XX000', ofServer), 'XX000'],
  ["PostgreSQL's FATAL 57P01 behind ParseComplete", Buffer.concat([message('1'), fatal('57P01', ofServer)]), '57P01'],
  ['the end of the stream', Buffer.alloc(0), 'Connection terminated unexpectedly'],
]) {
  for (const [name, open] of Object.entries(pools)) {
    test(`${name}: after ${what} a write is not sent again`, async () => {
      assert.deepEqual(await insertAgainst(open, last), { asked: 1, outcome: expected })
    })
  }
}

for (const code of ['57P01', '57P02', '57P03', '25P03', '57P05']) {
  test(`what PostgreSQL itself has refused with ${code} runs on another connection, but not in lakebase-native/pg`, async () => {
    assert.deepEqual(await insertAgainst(pools.createLakebasePool, fatal(code, ofServer)), { asked: 2, outcome: 1 })
    assert.deepEqual(await insertAgainst(pools['lakebase-native/pg'], fatal(code, ofServer)), { asked: 1, outcome: code })
    assert.deepEqual(await insertAgainst(pools.pg, fatal(code, ofServer)), { asked: 1, outcome: code })
  })
}

test('a write with query_timeout is not sent again either', async () => {
  const open = (options) => pools.createLakebasePool({ ...options, query_timeout: 60_000 })
  assert.deepEqual(await insertAgainst(open, fatal('08P01')), { asked: 1, outcome: '08P01' })
})

test('three writes at once, of which a pooler loses the first: none runs twice', async () => {
  const bound = []
  const server = await startFakeServer((socket, { letter, body }) => {
    if (letter === null) socket.write(say.welcome())
    if (letter === 'B') bound.push(body.toString('latin1').at(-5))
    if (letter === 'S') socket.end(fatal('08P01'))
  })
  const pool = pools.createLakebasePool({ host: server.host, port: server.port, user: 'tester', database: 'tester', max: 1 })
  pool.on('error', () => {})
  const outcomes = await Promise.allSettled(['A', 'B', 'C'].map((value) => pool.query('insert into ledger values ($1)', [value])))
  assert.deepEqual(outcomes.map(({ reason }) => reason?.code), ['08P01', '08P01', '08P01'])
  assert.deepEqual(bound, [...new Set(bound)])
  await pool.end()
  await server.close()
})
