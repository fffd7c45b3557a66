// What console.log() shows of pools and clients: pg's internals, here a short form.
import assert from 'node:assert/strict'
import { after } from 'node:test'
import { format, inspect } from 'node:util'
import theirs from 'pg'
import ours from 'lakebase-native/pg'
import { createLakebasePool } from 'lakebase-native'
import { postgres } from '../support/postgres.mjs'
import { assertHidden } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const server = await postgres({ host: '127.0.0.1' })
after(() => server.stop())
const { host, port, superuser: user } = server
const password = 'native-password-0123456789'
const config = { host, port, user, password, database: 'postgres', max: 3 }

const lines = (value) => inspect(value).split('\n').length

test('a pool: class, host, database, user and counters', async (t) => {
  const pools = { pg: new theirs.Pool(config), Pool: new ours.Pool(config), LakebasePool: createLakebasePool({ ...config, sslMode: 'disable' }) }
  t.after(() => Promise.all(Object.values(pools).map((pool) => pool.end())))
  const clients = await Promise.all(Object.values(pools).map((pool) => pool.connect()))
  assert.ok(lines(pools.pg) > 50)
  for (const name of ['Pool', 'LakebasePool']) {
    const where = `host: '${host}',\n  port: ${port},\n  database: 'postgres',\n  user: '${user}'`
    assert.equal(inspect(pools[name]), `${name} {\n  ${where},\n  totalCount: 1,\n  idleCount: 0,\n  waitingCount: 0,\n  max: 3,\n  ending: false\n}`)
    assert.equal(format('%s', pools[name]).split(' ')[0], name)
  }
  for (const client of clients) client.release()
})

test('a client, of its own or checked out: class, host, database and user', async (t) => {
  const own = new ours.Client(config)
  await own.connect()
  t.after(() => own.end())
  const pool = new ours.Pool(config)
  t.after(() => pool.end())
  const client = await pool.connect()
  assert.ok(lines(new theirs.Client(config)) > 50)
  for (const shown of [own, client]) {
    const where = `host: '${host}',\n  port: ${port},\n  database: 'postgres',\n  user: '${user}'`
    assert.equal(inspect(shown), `Client {\n  ${where},\n  processID: ${shown.processID},\n  waitingCount: 0\n}`)
  }
  client.release()
})

test('as a member of something, as deep as the printer goes', () => {
  const client = new ours.Client(config)
  assert.equal(inspect({ a: { b: { c: client } } }), '{ a: { b: { c: [Client] } } }')
  assert.ok(inspect({ client }).startsWith('{\n  client: Client {'))
})

test('a subclass shows its own name; nothing is added to what can be enumerated', () => {
  class Tenant extends ours.Pool {}
  const pool = new Tenant(config)
  assert.ok(inspect(pool).startsWith('Tenant {'))
  assert.ok(!Reflect.ownKeys(pool).includes(inspect.custom))
  assert.ok(!Object.getOwnPropertyDescriptor(ours.Pool.prototype, inspect.custom).enumerable)
})

test('no secret shows, whatever the printer is asked for', () => {
  const objects = [new ours.Pool(config), new ours.Client(config), createLakebasePool({ ...config, sslMode: 'disable' })]
  for (const object of objects) {
    for (const options of [{ showHidden: true, getters: true }, { showHidden: true, customInspect: false }, { getters: true, customInspect: false }]) {
      assertHidden([password], inspect(object, { depth: Infinity, maxStringLength: Infinity, showProxy: true, ...options }))
    }
  }
})
