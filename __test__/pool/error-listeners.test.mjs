// What `error` listeners of a Lakebase pool's clients do about a lost connection: one error tells of it, whatever they do.
import assert from 'node:assert/strict'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { event, settle } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

const holders = {
  'releases with the error': (client, error) => client.release(error),
  'releases': (client) => client.release(),
  'listens on, and releases': (client, error) => {
    client.on('error', () => {})
    client.release(error)
  },
  'removes all listeners, and releases': (client, error) => {
    client.removeAllListeners('error')
    client.release(error)
  },
  'ends the client, and releases': (client, error) => {
    client.end()
    client.release(error)
  },
  'releases, and queries': (client, error, pool) => {
    client.release(error)
    return pool.query('select 1 as one')
  },
}
for (const [what, react] of Object.entries(holders)) {
  test(`a holder's listener that ${what}`, async () => {
    const pool = app.pool({ max: 1 })
    const seen = []
    pool.on('error', (error) => seen.push(`pool: ${error.code}`))
    const client = await pool.connect()
    const reaction = new Promise((resolve) => {
      client.on('error', (error) => {
        seen.push(`client: ${error.code}`)
        resolve(react(client, error, pool))
      })
    })
    const ended = event(client, 'end')
    await app.emulator.terminateConnections()
    await reaction
    await ended
    await settle()
    assert.deepEqual(seen, ['client: 57P01'])
    assert.deepEqual((await pool.query('select 2 as two')).rows, [{ two: 2 }])
    assert.deepEqual([pool.totalCount, pool.idleCount], [1, 1])
  })
}

test('a pool’s listener that ends the pool', async () => {
  const pool = app.pool({ max: 1 })
  await pool.query('select 1')
  const ended = new Promise((resolve) => pool.on('error', (error) => resolve(pool.end().then(() => error.code))))
  await app.emulator.terminateConnections()
  assert.equal(await ended, '57P01')
  assert.equal(pool.totalCount, 0)
})

test('a listener that throws: uncaught, and the pool goes on', async () => {
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool({ max: 1 })
    process.on('uncaughtException', (error) => console.log(error.message))
    const client = await pool.connect()
    client.on('error', () => {
      client.release(true)
      throw new Error('thrown by the listener')
    })
    const removed = new Promise((resolve) => pool.once('remove', resolve))
    await client.query('select pg_terminate_backend(pg_backend_pid())').catch(() => {})
    await removed
    console.log((await pool.query('select 1 as one')).rows[0].one)
    await pool.end()
  }
  const { code, stdout } = await run(main)
  assert.deepEqual([code, stdout], [0, 'thrown by the listener\n1\n'])
})
