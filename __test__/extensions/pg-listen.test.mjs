// pg-listen, unmodified: its require('pg') finds lakebase-native/pg.
import assert from 'node:assert/strict'
import Module, { createRequire } from 'node:module'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { event, events } from '../support/outcome.mjs'
import { pgPackage } from '../support/pg-package.mjs'
import { test } from '../support/test.mjs'

const pg = pgPackage().resolve('pg')
const resolveFilename = Module._resolveFilename
Module._resolveFilename = function (request, ...rest) {
  return request === 'pg' ? pg : resolveFilename.call(this, request, ...rest)
}
const createSubscriber = createRequire(import.meta.url)('pg-listen').default

const app = deploy()

async function subscriber(t, options) {
  const made = createSubscriber({ ...app.address(), password: getToken, application_name: 'pg-listen' }, options)
  made.events.on('error', () => {})
  await made.connect()
  t.after(() => made.close())
  return made
}

test('it hears what others notify, in order, with payloads parsed', async (t) => {
  const listening = await subscriber(t)
  await listening.listenTo('news')
  const heard = []
  listening.notifications.on('news', (payload) => heard.push(payload))
  const three = events(listening.notifications, 'news', 3)
  const pool = app.pool()
  for (const payload of [1, 'zwölf', { three: [3] }]) await pool.query('select pg_notify($1, $2)', ['news', JSON.stringify(payload)])
  await three
  assert.deepEqual(heard, [1, 'zwölf', { three: [3] }])
})

test('it notifies, and stops listening', async (t) => {
  const listening = await subscriber(t)
  await listening.listenTo('news')
  const heard = event(listening.notifications, 'news')
  await listening.notify('news', { hello: 'there' })
  assert.deepEqual((await heard)[0], { hello: 'there' })
  await listening.unlistenAll()
  assert.deepEqual(listening.getSubscribedChannels(), [])
})

test('it connects again when the server ends its session, with a token that is fresh, and still listens', async (t) => {
  const listening = await subscriber(t, { retryInterval: 10 })
  await listening.listenTo('news')
  const again = event(listening.events, 'connected')
  await app.emulator.terminateConnections()
  await again
  const pool = app.pool()
  const sessions = "select count(*)::int as n from pg_stat_activity where application_name = 'pg-listen'"
  assert.equal((await pool.query(sessions)).rows[0].n, 1)
  const heard = event(listening.notifications, 'news')
  await pool.query(`notify news, '"again"'`)
  assert.deepEqual((await heard)[0], 'again')
})
