// When a process that has a pool may exit.
import assert from 'node:assert/strict'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

/** Runs a program with a pool of these options; prints how long it lived on after its last line. */
async function lifeAfter(options, work) {
  const main = async (options, work) => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool(options)
    pool.on('remove', () => console.log('removed'))
    await new Function('pool', `return (${work})(pool)`)(pool)
    console.log('last line')
    process.on('exit', () => console.log('exit'))
  }
  const { code, signal, stdout, stderr } = await run(main, { args: [options, String(work)] })
  assert.deepEqual([code, signal, stderr], [0, null, ''])
  return stdout.trim().split('\n')
}

test('an idle connection keeps the process alive until its idle timeout', async () => {
  assert.deepEqual(await lifeAfter({ idleTimeoutMillis: 300 }, (pool) => pool.query('select 1')), ['last line', 'removed', 'exit'])
})

test('with allowExitOnIdle it does not', async () => {
  const options = { idleTimeoutMillis: 20_000, allowExitOnIdle: true }
  assert.deepEqual(await lifeAfter(options, (pool) => pool.query('select 1')), ['last line', 'exit'])
})

test('with allowExitOnIdle a query and a client that is out still do', async () => {
  const options = { allowExitOnIdle: true }
  const query = (pool) => void pool.query('select pg_sleep(0.3)').then(() => console.log('answered'))
  assert.deepEqual(await lifeAfter(options, query), ['last line', 'answered', 'exit'])
  const client = async (pool) => {
    const client = await pool.connect()
    client.query('select pg_sleep(0.3)').then(() => {
      console.log('answered')
      client.release()
    })
  }
  assert.deepEqual(await lifeAfter(options, client), ['last line', 'answered', 'exit'])
})

test('an unused pool does not', async () => {
  assert.deepEqual(await lifeAfter({ idleTimeoutMillis: 0 }, () => {}), ['last line', 'exit'])
})

test('an ended pool does not', async () => {
  const [last, ...rest] = (await lifeAfter({ idleTimeoutMillis: 0 }, (pool) => pool.query('select 1').then(() => pool.end()))).reverse()
  assert.equal(last, 'exit')
  assert.deepEqual(rest.sort(), ['last line', 'removed'])
})

test('a failed first query leaves nothing that does', async () => {
  const options = { host: 'no-such-host.invalid', idleTimeoutMillis: 0 }
  const work = (pool) => pool.query('select 1').catch((error) => console.log(error.code))
  assert.deepEqual(await lifeAfter(options, work), ['ENOTFOUND', 'last line', 'exit'])
})

test('getToken() alone does not, once it is answered', async () => {
  const main = async () => {
    const { getToken } = await import('lakebase-native')
    const token = await getToken()
    console.log(typeof token)
  }
  const { code, stdout } = await run(main)
  assert.deepEqual([code, stdout], [0, 'string\n'])
})

test('a process that exits leaves no session behind', async () => {
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool({ application_name: 'exits at once' })
    await Promise.all([1, 2, 3].map(() => pool.query('select pg_sleep(0.01)')))
    process.exit(3)
  }
  assert.equal((await run(main)).code, 3)
  await until(async () => (await app.emulator.query("select 1 from pg_stat_activity where application_name = 'exits at once'")).length === 0)
})
