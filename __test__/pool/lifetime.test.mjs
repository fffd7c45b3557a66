// maxUses and maxLifetimeSeconds: connections are replaced, queries are not disturbed.
import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { event, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const pid = async (queryable) => (await queryable.query('select pg_backend_pid() as pid')).rows[0].pid

test('after maxUses queries a connection is replaced', async () => {
  const pool = app.pool({ max: 1, maxUses: 3 })
  const pids = []
  for (let query = 0; query < 9; query++) pids.push(await pid(pool))
  assert.deepEqual(pids.map((one) => pids.indexOf(one)), [0, 0, 0, 3, 3, 3, 6, 6, 6])
})

test('a checkout is one use, whatever is done with it', async () => {
  const pool = app.pool({ max: 1, maxUses: 2 })
  const pids = []
  for (let use = 0; use < 4; use++) {
    const client = await pool.connect()
    for (let query = 0; query < 5; query++) pids.push(await pid(client))
    client.release()
  }
  assert.equal(new Set(pids).size, 2)
})

test('maxUses bounds shared connections, too, and no query fails', async () => {
  const pool = app.pool({ max: 2, maxUses: 10 })
  const pids = await Promise.all(range(200).map(() => pid(pool)))
  for (const one of new Set(pids)) {
    const uses = pids.filter((other) => other === one).length
    assert.ok(uses <= 10, `${uses} uses`)
  }
})

test('maxLifetimeSeconds closes an idle connection', async () => {
  const pool = app.pool({ maxLifetimeSeconds: 1, max: 1 })
  const removed = event(pool, 'remove')
  const first = await pid(pool)
  await removed
  assert.equal(pool.totalCount, 0)
  assert.notEqual(await pid(pool), first)
})

test('maxLifetimeSeconds replaces a busy connection when its work is done', async () => {
  const pool = app.pool({ maxLifetimeSeconds: 1, max: 1 })
  const client = await pool.connect()
  const first = await pid(client)
  await sleep(1100)
  assert.equal(await pid(client), first, 'a client keeps its connection')
  client.release()
  assert.notEqual(await pid(pool), first)
})

test('connections whose lives end on their way to callers are replaced before the callers have them', async () => {
  // A process of its own: it stands still for a while, and the emulator must not.
  const { code, stderr } = await run(async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool({ maxLifetimeSeconds: 1, max: 2 })
    const use = async () => {
      const client = await pool.connect()
      await client.query('select 1')
      client.release()
    }
    await Promise.all([use(), use()])
    const busy = [1, 2].map(() => pool.query('select pg_sleep(0.2)'))
    const uses = [1, 2, 3].map(use)
    // The connections become free, and then their lives end, while this thread looks at neither. After setImmediate, timers come before answers.
    const standStill = () => {
      const end = Date.now() + 1_200
      while (Date.now() < end);
    }
    setTimeout(() => setImmediate(standStill), 50)
    await Promise.all([...busy, ...uses])
    await pool.end()
  })
  assert.deepEqual({ code, stderr }, { code: 0, stderr: '' })
})
