// Random programs, run on node-postgres and on ours, each against its own of two equal databases: every call gives the same, and the databases end the same.
// The environment chooses others:
//   PROGRAMS=25000 PROGRAMS_SEED=7 node --test __test__/programs/directly.test.mjs __test__/programs/poolers.test.mjs
// PROGRAMS_PATH runs the one program whose seed and path a failure has printed; PROGRAMS_UNSHRUNK does not look for a smaller one that fails.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import pg from 'pg'
import { drivers } from '../support/ledger.mjs'
import { startPgbouncer } from '../support/pgbouncer.mjs'
import { postgres } from '../support/postgres.mjs'
import { plan, programs } from './program.mjs'
import { run } from './runner.mjs'
import { namesOf, setUp } from './statements.mjs'

const PATH = process.env.PROGRAMS_PATH
/** Programs under way at once: most of a program's time is spent waiting for processes to start. */
const AT_ONCE = PATH ? 1 : 4
const MILLIS_PER_PROGRAM = 2_000
const DATABASES = ['theirs', 'oursss']

let server
let entrances
const administrators = []
before(async () => {
  server = await postgres({ host: '127.0.0.1', settings: { max_connections: 600, autovacuum: false, lc_messages: 'C' } })
  for (const database of DATABASES) {
    await server.query(`create database ${database}`)
    const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'postgres', database })
    await client.connect()
    await client.query('set client_min_messages = error')
    administrators.push(client)
  }
  const pooler = (mode) => startPgbouncer({ mode, server, settings: { default_pool_size: 250, max_client_conn: 2_000 } })
  entrances = { directly: server, session: await pooler('session'), transaction: await pooler('transaction') }
})
after(async () => {
  for (const client of administrators) await client.end()
  await entrances.session.stop()
  await entrances.transaction.stop()
  await server.stop()
})

let schemas = 0

/** Runs a program on two drivers at the same time; the message of an error tells what differs. */
async function compare(program, theirs, ours) {
  const schema = `s${++schemas}`
  const lanes = plan(program, schema)
  const observe = async (driver, index) => {
    const administrator = administrators[index]
    await administrator.query(setUp(schema, lanes.length))
    const { port } = entrances[program.way]
    const { max, maxUses, statementCacheSize } = program
    const pool = drivers[driver]({ host: '127.0.0.1', port, user: 'postgres', database: DATABASES[index], max, maxUses, statementCacheSize, connectionTimeoutMillis: 20_000 })
    const { outcomes, ended } = await run(lanes, pool, max === 1)
    const database = await dump(administrator, schema, lanes.length)
    await administrator.query(`set lock_timeout = '10s'; drop schema ${schema} cascade`)
    return { outcomes, ended, database }
  }
  const [expected, actual] = await Promise.all([observe(theirs, 0), observe(ours, 1)])
  const found = []
  expected.outcomes.forEach((lane, at) => {
    lane.forEach((entry, index) => {
      const other = actual.outcomes[at][index]
      if (entry.outcome === 'unanswered') found.push(`lane ${at}, call ${index} hangs on ${theirs}: ${entry.call}`)
      if (!isDeepStrictEqual(entry, other)) found.push(`lane ${at}, call ${index}: ${entry.call}\n  ${theirs}: ${show(entry.outcome)}\n  ${ours}: ${show(other?.outcome)}`)
    })
  })
  for (const [part, wanted, got] of [['end()', expected.ended, actual.ended], ...Object.keys(expected.database).map((table) => [table, expected.database[table], actual.database[table]])]) {
    if (!isDeepStrictEqual(wanted, got)) found.push(`${part}\n  ${theirs}: ${show(wanted)}\n  ${ours}: ${show(got)}`)
  }
  if (found.length > 0) throw new Error(`${found.slice(0, 8).join('\n')}\n${listing(program, lanes)}`)
}

const show = (value) => JSON.stringify(value)?.slice(0, 1_500)

/** A program as one reads it. */
function listing({ driver, way, max, maxUses, statementCacheSize }, lanes) {
  const line = ({ on, wait, calls: [{ form, text, values }], calls }) =>
    `${wait ? 'await ' : ''}${on}: ${calls.length > 1 ? `${calls.length} × ` : ''}${text}${values?.length ? ` ${JSON.stringify(values)}` : ''}${form === 'values' ? '' : ` (${form})`}`
  const lines = lanes.flatMap((steps, lane) => [
    `lane ${lane}`,
    ...steps.flatMap((each) => (each.hold ? [`  hold ${each.begin ?? ''}`, ...each.hold.map((item) => `    ${line(item)}`), `  ${each.begin ? each.end : 'end'}; ${each.tidy.join('; ')}; release${each.destroy ? ' and destroy' : ''}`] : [`  ${line(each)}`])),
  ])
  return [`${driver}, ${way}, max ${max}, maxUses ${maxUses}, statementCacheSize ${statementCacheSize}`, ...lines].join('\n')
}

async function dump(administrator, schema, lanes) {
  const tables = ['fixed', 'shared', 'log'].map((name) => `${schema}.${name}`)
  for (let lane = 0; lane < lanes; lane++) tables.push(namesOf(schema, lane).table)
  const contents = {}
  for (const table of tables) {
    const { rows, fields } = await administrator.query(`select t.* from ${table} t order by t::text collate "C"`)
    contents[table] = { columns: fields.map(({ name, dataTypeID }) => [name, dataTypeID]), rows }
  }
  return contents
}

/**
 * Defines a test of so many programs of these ways, run by node-postgres and by `ours`, else by the program's own driver. Several sequences of programs
 * run at once, each with its own seed.
 */
export function testPrograms(name, { ways, count, seed, ours }) {
  const total = Number(process.env.PROGRAMS ?? count)
  const first = Number(process.env.PROGRAMS_SEED ?? seed)
  test(name, { timeout: 60_000 + total * MILLIS_PER_PROGRAM }, async (t) => {
    let ran = 0
    const sequences = Array.from({ length: AT_ONCE }, (_, index) =>
      fc.assert(
        fc.asyncProperty(programs(ways), async (program) => {
          ran++
          await compare(program, 'pg', ours ?? program.driver)
        }),
        { seed: first + index, path: PATH, numRuns: Math.ceil(total / AT_ONCE), endOnFailure: Boolean(PATH) || Boolean(process.env.PROGRAMS_UNSHRUNK) },
      ),
    )
    const failures = (await Promise.allSettled(sequences)).filter(({ status }) => status === 'rejected').map(({ reason }) => reason.message + (reason.cause ? `\n${reason.cause.message}` : ''))
    if (failures.length > 0) assert.fail(failures.join('\n\n'))
    t.diagnostic(`${ran} programs, seeds from ${first}`)
  })
}
