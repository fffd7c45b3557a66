// What the server says unasked: notices, notifications, parameters.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { event, events } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('notices reach the client that caused them', async () => {
  const pool = app.pool()
  const client = await pool.connect()
  const noticed = event(client, 'notice')
  await client.query("do $$ begin raise warning 'mind the %', 'gap' using detail = 'it is wide', hint = 'jump', errcode = '01234'; end $$")
  const [notice] = await noticed
  const { message, severity, code, detail, hint, name } = notice
  assert.deepEqual({ message, severity, code, detail, hint, name }, {
    message: 'mind the gap',
    severity: 'WARNING',
    code: '01234',
    detail: 'it is wide',
    hint: 'jump',
    name: 'notice',
  })
  client.release()
})

test('LISTEN and NOTIFY on a client, also while it is idle', async () => {
  const pool = app.pool()
  const listener = await pool.connect()
  await listener.query('listen news')
  const first = event(listener, 'notification')
  await pool.query("select pg_notify('news', 'from another connection')")
  const [{ channel, payload, processId }] = await first
  assert.deepEqual([channel, payload], ['news', 'from another connection'])
  assert.notEqual(processId, listener.processID)
  const second = event(listener, 'notification')
  await listener.query("notify news, 'äöü 🚀'")
  const [own] = await second
  assert.deepEqual([own.payload, own.processId], ['äöü 🚀', listener.processID])
  listener.release()
})

test('many notifications arrive all, in order', async () => {
  const pool = app.pool()
  const listener = await pool.connect()
  await listener.query('listen numbers')
  const received = []
  listener.on('notification', ({ payload }) => received.push(Number(payload)))
  const last = events(listener, 'notification', 500)
  await pool.query("select pg_notify('numbers', number::text) from generate_series(1, 500) as number")
  await last
  assert.deepEqual(received, Array.from({ length: 500 }, (_, index) => index + 1))
  listener.release()
})

test('the session that listens is not shared with pool.query()', async () => {
  const pool = app.pool({ max: 2 })
  const listener = await pool.connect()
  await listener.query('listen private')
  for (let i = 0; i < 20; i++) {
    const { rows } = await pool.query('select pg_backend_pid() as pid, (select count(*)::int from pg_listening_channels()) as channels')
    assert.notEqual(rows[0].pid, listener.processID)
    assert.equal(rows[0].channels, 0)
  }
  listener.release()
})

test("the server's parameters are known", async () => {
  const client = await app.pool().connect()
  assert.equal(client.parameters.server_version, app.emulator.postgresVersion)
  assert.equal(client.parameters.client_encoding, 'UTF8')
  client.release()
})
