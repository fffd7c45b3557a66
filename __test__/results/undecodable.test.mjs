// A result that cannot be decoded is an error of its own query: no other caller notices, on this pool, on another, or at another server.
import assert from 'node:assert/strict'
import theirs from 'pg'
import ours from 'lakebase-native/pg'
import { getToken, types } from 'lakebase-native'
import { say, startFakeServer } from '../compat/fake-server.mjs'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create cast (text as json) without function; create table ledger (id int primary key)' })

const BAD = "select 'not json'::text::json as value, repeat('x', 3000) as text from generate_series(1, 3)"

/** Nineteen queries of every kind on several pools, each with the rows it must give. */
function neighbours(pools) {
  return range(19).map((index) => {
    const pool = pools[index % pools.length]
    const text = `neighbour ${index}`
    const [query, rows] = [
      ['select $1::text as text, $2::int as number', [{ text, number: index }]],
      ['select jsonb_build_object($1::text, $2::int) as json', [{ json: { [text]: index } }]],
      ['select $1::text as text, number from generate_series(0, $2::int) as number', range(index + 1).map((number) => ({ text, number }))],
    ][index % 3]
    return [pool.query(query, [text, index]), rows]
  })
}

async function assertUnharmed(pools, provoke) {
  for (let round = 0; round < 10; round++) {
    const waiting = neighbours(pools)
    const bad = range(3).map(() => failureOf(provoke()))
    const after = neighbours(pools)
    for (const error of await Promise.all(bad)) assert.ok(error instanceof Error)
    for (const [answer, rows] of [...waiting, ...after]) assert.deepEqual((await answer).rows, rows)
  }
}

test('a JSON column whose text is not JSON fails with the error of pg', async (t) => {
  const pools = [app.pool({ max: 2 }), app.pool({ max: 2 })]
  const pg = new theirs.Pool({ ...app.address(), password: getToken })
  t.after(() => pg.end())
  await assertUnharmed(pools, () => pools[0].query(BAD))
  const [error, expected] = [await failureOf(pools[0].query(BAD)), await failureOf(pg.query(BAD))]
  assert.deepEqual([error.name, error.message], [expected.name, expected.message])
})

test('texts that are JSON only when they are joined', async (t) => {
  const pg = new theirs.Pool({ ...app.address(), password: getToken })
  t.after(() => pg.end())
  const pool = app.pool()
  for (const values of [['1,2', '"x', 'y"'], ['[1', '2]', '3,4'], ['{"a":1', '"b":2}', '3,4'], [''], ['1', ''], ['1,2'], ['\u00a01'], ['"\t"'], ['01'], ['1 2']]) {
    const query = ['select value::json from unnest($1::text[]) with ordinality as list(value, place) order by place', [values]]
    const [error, expected] = [await failureOf(pool.query(...query)), await failureOf(pg.query(...query))]
    assert.deepEqual([error.name, error.message], [expected.name, expected.message], JSON.stringify(values))
  }
})

test('getTypeParser, a getter or a parser that throws', async () => {
  const pools = [app.pool({ max: 2 }), app.pool({ max: 2 })]
  const fail = () => {
    throw new TypeError('no parser')
  }
  const sources = [
    // Asked for the types that the core decodes, it answers: it throws while rows are read.
    { getTypeParser: (oid, format) => (oid === 25 ? fail() : types.getTypeParser(oid, format)) },
    { getTypeParser: fail },
    Object.defineProperty({}, 'getTypeParser', { get: fail }),
    { getTypeParser: () => fail },
  ]
  for (const source of sources) {
    const query = { text: "select number, 'a text' as text, '{}'::json as json from generate_series(1, 5) as number", types: source }
    await assertUnharmed(pools, () => pools[0].query(query))
    assert.equal((await failureOf(pools[0].query(query))).message, 'no parser')
  }
})

test('a parser that throws nothing at all: pg loses the row, here the query fails', async (t) => {
  const pg = new theirs.Pool({ ...app.address(), password: getToken })
  t.after(() => pg.end())
  const query = { text: 'select number::text as text from generate_series(1, 3) as number', types: { getTypeParser: () => (text) => { if (text === '2') throw undefined; return text } } }
  assert.deepEqual((await pg.query(query)).rows, [{ text: '1' }, { text: '3' }])
  assert.equal((await failureOf(app.pool().query(query))).message, 'a type parser threw undefined')
})

test('a client goes on after it, in the state in which the query left its transaction', async () => {
  const client = await app.pool({ max: 1 }).connect()
  await client.query('begin')
  await client.query('insert into ledger values (1)')
  assert.ok((await failureOf(client.query(BAD))) instanceof SyntaxError)
  assert.equal(client.getTransactionStatus(), 'T')
  await client.query('commit')
  assert.deepEqual((await client.query('select id from ledger')).rows, [{ id: 1 }])
  client.release()
})

test('a server that sends what it likes harms only its own callers', async (t) => {
  const columns = [{ name: 'json', type: 114 }, { name: 'text' }, { name: 'number', type: 23 }]
  const rows = [['[1,', 'x', '1'], ['{', 'y', 'one'], ['"', 'z', null]]
  const answers = [
    [say.rowDescription(columns), ...rows.map(say.dataRow), say.commandComplete('SELECT 3')],
    [say.rowDescription(columns), say.dataRow(['1']), say.commandComplete('SELECT 1')],
    [say.rowDescription(columns), say.dataRow(['1', '2', '3', '4', '5']), say.commandComplete('SELECT 1')],
  ]
  let turn = 0
  const fake = await startFakeServer((socket, { letter }) => {
    if (letter === null) socket.write(say.welcome())
    else if (letter === 'Q') socket.write(Buffer.concat([...answers[turn++ % answers.length], say.ready()]))
  })
  t.after(() => fake.close())
  const hostile = new ours.Pool({ host: fake.host, port: fake.port, user: 'someone', database: 'some' })
  hostile.on('error', () => {})
  await assertUnharmed([app.pool({ max: 2 }), app.pool({ max: 2 })], () => hostile.query('select'))
  await hostile.end()
})
