// A worker that is terminated while a function of its own is still to answer leaves no connection open.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { after, before } from 'node:test'
import { Worker } from 'node:worker_threads'
import { until } from '../support/outcome.mjs'
import { postgres } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

// A session waits for its password for ten minutes, if nobody ends it.
let server, relay
const open = new Set()
before(async () => {
  server = await postgres({ tls: true, host: '127.0.0.1', password: 'asked-for', settings: { authentication_timeout: '600s' } })
  relay = createServer((socket) => {
    open.add(socket)
    const there = connect(server.port, server.host)
    socket.pipe(there).pipe(socket)
    socket.on('error', () => {}).on('close', () => (open.delete(socket), there.destroy()))
    there.on('error', () => {}).on('close', () => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
})
after(async () => {
  for (const socket of open) socket.destroy()
  relay.close()
  await server.stop()
})

for (const [what, program] of Object.entries({
  'a client and its password': 'new pg.Client({ ...options, password: never }).connect()',
  'a client and its check of the server': 'new pg.Client({ ...options, ssl: { ...options.ssl, checkServerIdentity: () => (parentPort.postMessage(1), Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)) } }).connect()',
  'a pool, its password, and callers in its queue': `
    const pool = new pg.Pool({ ...options, max: 2, password: never })
    for (let i = 0; i < 5; i++) pool.query('select 1').catch(() => {})
    pool.connect().catch(() => {})`,
  'createLakebasePool() and its password': `
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
    const workerData = { host: 'localhost', port: relay.address().port, user: 'postgres', database: 'postgres', ssl: { ca: server.ca } }
    const worker = new Worker(work, { eval: true, execArgv: [], workerData })
    await once(worker, 'message')
    assert.ok(open.size > 0)
    await worker.terminate()
    await until(() => open.size === 0)
  })
}
