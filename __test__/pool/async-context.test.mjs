// AsyncLocalStorage and domains of a Lakebase pool: what a callback or a listener finds is what its caller had.
import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { event, failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const store = new AsyncLocalStorage()

test('the callback of connect(), on a new connection and on an idle one', async () => {
  const pool = app.pool({ max: 1 })
  for (const caller of ['first', 'second']) {
    const found = await new Promise((resolve) => {
      store.run(caller, () => pool.connect((_error, _client, release) => {
        resolve(store.getStore())
        release()
      }))
    })
    // An idle connection comes in a tick of whoever calls; pg-pool's own rule.
    assert.equal(found, caller === 'first' ? 'first' : await onIdleOfPg())
  }
})

/** What node-postgres' pool gives the second caller: the store is that of the tick in which it is served. */
async function onIdleOfPg() {
  const { default: pg } = await import('pg')
  const { getToken } = await import('lakebase-native')
  const pool = new pg.Pool({ ...app.address(), password: getToken, max: 1 })
  const ask = (caller) => new Promise((resolve) => {
    store.run(caller, () => pool.connect((_error, _client, release) => {
      resolve(store.getStore())
      release()
    }))
  })
  await ask('first')
  const found = await ask('second')
  await pool.end()
  return found
}

test('the callback of connect(), when no connection can be made', async () => {
  app.environment({ PGPORT: '1' })
  const pool = app.pool({ connectionTimeoutMillis: 500 })
  const found = new Promise((resolve) => {
    store.run('caller', () => pool.connect((error) => resolve([Boolean(error), store.getStore()])))
  })
  assert.deepEqual(await found, [true, 'caller'])
})

test('the connect event and onConnect: those of whoever made the pool open a connection', async () => {
  const seen = []
  const pool = app.pool({ max: 3, onConnect: () => void seen.push(['onConnect', store.getStore()]) })
  pool.on('connect', () => seen.push(['connect', store.getStore()]))
  await store.run('a query', () => pool.query('select 1'))
  const first = await pool.connect()
  await store.run('a checkout', async () => (await pool.connect()).release())
  const second = await pool.connect()
  await store.run('a query later', () => pool.query('select 1'))
  first.release()
  second.release()
  const callers = ['a query', 'a checkout', 'a query later']
  assert.deepEqual(seen, callers.flatMap((caller) => [['onConnect', caller], ['connect', caller]]))
})

test('events of a client', async () => {
  const pool = app.pool({ max: 1 })
  const [notice, lost] = await store.run('caller', async () => {
    const client = await pool.connect()
    const noticed = new Promise((resolve) => client.once('notice', () => resolve(store.getStore())))
    await client.query(`do $$ begin raise notice 'x'; end $$`)
    const failed = new Promise((resolve) => client.once('error', () => resolve(store.getStore())))
    const ended = event(client, 'end')
    await failureOf(client.query('select pg_terminate_backend(pg_backend_pid())'))
    await ended
    const answers = [await noticed, await failed]
    client.release(true)
    return answers
  })
  assert.deepEqual([notice, lost], ['caller', 'caller'])
})

test('a domain gets what the callback of connect() throws', async () => {
  const main = async () => {
    const { default: domain } = await import('node:domain')
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool({ max: 1 })
    const context = domain.create()
    const caught = new Promise((resolve) => context.on('error', resolve))
    context.run(() => pool.connect((_error, client, release) => {
      release()
      throw new Error('thrown by the callback')
    }))
    console.log((await caught).message)
    await pool.end()
  }
  const { code, stdout } = await run(main)
  assert.deepEqual([code, stdout], [0, 'thrown by the callback\n'])
})
