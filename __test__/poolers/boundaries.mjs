// Backends are killed, PgBouncer is killed, and links are cut at every boundary between two messages: no write runs twice, no call stays unanswered.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Auditor, discrepancies, drivers, SCHEMA, writeLedger } from '../support/ledger.mjs'
import { startMessageRelay } from '../support/message-relay.mjs'
import { startPgbouncer } from '../support/pgbouncer.mjs'
import { postgres } from '../support/postgres.mjs'

const BOUND_MILLIS = 550_000

/** The relay before PostgreSQL, where the pool goes. */
export async function directly(server) {
  const relay = await startMessageRelay(server)
  return { relay, entrance: relay, stop: () => relay.stop() }
}

/** The relay between the pool and PgBouncer. */
export function beforePgbouncer(mode) {
  return async (server) => {
    const bouncer = await startPgbouncer({ mode, server })
    const relay = await startMessageRelay(bouncer)
    return { relay, bouncer, entrance: relay, stop: () => Promise.all([relay.stop(), bouncer.stop()]) }
  }
}

/** The relay between PgBouncer and PostgreSQL. */
export function behindPgbouncer(mode) {
  return async (server) => {
    const relay = await startMessageRelay(server)
    const bouncer = await startPgbouncer({ mode, server: { ...server, port: relay.port } })
    return { relay, bouncer, entrance: bouncer, stop: () => Promise.all([relay.stop(), bouncer.stop()]) }
  }
}

const events = {
  // To cut before a message is to cut after the one before it.
  'the link is cut after': () => 'cut after',
  'the backends are killed before': ({ auditor }) => auditor.terminate(),
  'PgBouncer is killed before': ({ bouncer }) => bouncer.restart(),
}

/** With the option, three inserts are on the wire together. */
const all = { ...drivers, 'createLakebasePool, pipelineWrites': (options) => drivers.createLakebasePool({ ...options, pipelineWrites: true }) }
/** Node-postgres shows that the demands are fair: a part of the boundaries is enough for that. */
const strides = { pg: 9, 'createLakebasePool, pipelineWrites': 2 }

/** Defines a test for each driver; `pipelinesWrites`: also with that option. */
export function testBoundaries(open, { pipelinesWrites = true } = {}) {
  let server
  let databases = 0
  let runs = 0
  before(async () => {
    server = await postgres({ host: '127.0.0.1', settings: { max_connections: 300 } })
  })
  after(() => server.stop())
  for (const [name, driver] of Object.entries(pipelinesWrites ? all : drivers)) {
    const stride = strides[name] ?? 1
    test(name, { timeout: BOUND_MILLIS }, async (t) => {
      const database = `boundaries_${++databases}`
      await server.query(`create database ${database}`)
      await server.query(SCHEMA, database)
      const auditor = await Auditor.open(server, database)
      t.after(() => auditor.close())
      const { relay, bouncer, entrance, stop } = await open(server)
      t.after(stop)

      const run = async (decide, restored) => {
        const number = ++runs
        relay.reset()
        if (decide) relay.decide = decide
        const pool = driver({ host: entrance.host, port: entrance.port, user: 'postgres', database, max: 1, connectionTimeoutMillis: 10_000 })
        const outcomes = await writeLedger(pool, number, restored)
        const messages = { ...relay.numbers }
        await pool.end()
        return { messages, failed: [...outcomes.values()].some((each) => each !== 'answered'), wrong: discrepancies(outcomes, await auditor.counts(number)) }
      }

      const quiet = await run()
      assert.deepEqual([quiet.failed, quiet.wrong], [false, []], 'without any disturbance')
      const wrong = []
      let disturbed = 0
      for (const [event, happen] of Object.entries(events)) {
        if (event.startsWith('PgBouncer') && !(bouncer && entrance === relay)) continue
        for (const from of ['client', 'server']) {
          for (let at = 1; at <= quiet.messages[from]; at += stride) {
            let message
            let happening
            const disturb = (seen) => {
              if (message || seen.from !== from || seen.number !== at) return undefined
              message = seen
              return (happening = happen({ auditor, bouncer }))
            }
            const result = await run(disturb, () => happening)
            if (message) disturbed++
            wrong.push(...result.wrong.map((text) => `${event} message ${at} of the ${from} (${message?.type}): ${text}`))
          }
        }
      }
      t.diagnostic(`${disturbed} disturbances, ${quiet.messages.client} messages of the client, ${quiet.messages.server} of the server`)
      assert.deepEqual(wrong.slice(0, 40), [], `${wrong.length} times a call ran wrongly in ${disturbed} disturbances`)
      // A run that was undisturbed shows nothing.
      assert.ok(disturbed * stride > quiet.messages.client + quiet.messages.server)
    })
  }
}
