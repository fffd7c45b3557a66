// A worker that is terminated while a function of its own is still to answer leaves no connection open.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before } from 'node:test'
import { Worker } from 'node:worker_threads'
import { until } from '../support/outcome.mjs'
import { postgres } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

let server
before(async () => {
  // A session that waits for its password for ever, if nobody ends it.
  server = await postgres({ tls: true, host: '127.0.0.1', password: 'asked-for', settings: { authentication_timeout: '600s' } })
})
after(() => server.stop())

/** Server processes of sessions over TCP, those that have not logged in included. */
async function sessions() {
  const rows = await server.query("select count(*) as count from pg_stat_activity where client_addr is not null")
  const open = await server.query("select count(*) as count from pg_stat_ssl where ssl")
  return Number(rows[0].count) + Number(open[0].count)
}

for (const [what, program] of Object.entries({
  'a client and its password': 'new pg.Client({ ...options, password: never }).connect()',
  'a pool, its password, and callers in its queue': `
    const pool = new pg.Pool({ ...options, max: 2, password: never })
    for (let i = 0; i < 5; i++) pool.query('select 1').catch(() => {})
    pool.connect().catch(() => {})`,
  "createLakebasePool() and its password": `
    createLakebasePool({ ...options, connectionTimeoutMillis: 0, max: 2, password: never }).query('select 1').catch(() => {})`,
})) {
  test(what, async () => {
    const work = `
      const { parentPort, workerData } = require('node:worker_threads')
      const pg = require('lakebase-native/pg')
      const { createLakebasePool } = require('lakebase-native')
      const options = workerData
      const never = () => (parentPort.postMessage('asked'), new Promise(() => {}))
      ${program}`
    const workerData = { host: 'localhost', port: server.port, user: 'postgres', database: 'postgres', ssl: { ca: server.ca } }
    const worker = new Worker(work, { eval: true, execArgv: [], workerData })
    await once(worker, 'message')
    await until(async () => (await connections()) > 0)
    await worker.terminate()
    await until(async () => (await connections()) === 0)
    assert.equal(await sessions(), 0)
  })
}
