// Pools that come and go leave nothing behind.
import assert from 'node:assert/strict'
import { createLakebasePool } from 'lakebase-native'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { range, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('100 pools one after another, and 30 at once: no connection stays', async () => {
  for (const number of range(100)) {
    const pool = createLakebasePool({ max: 2 })
    assert.equal((await pool.query('select $1::int as number', [number])).rows[0].number, number)
    await pool.end()
  }
  const pools = range(30).map(() => createLakebasePool({ max: 2 }))
  await Promise.all(pools.map((pool) => Promise.all(range(10).map(() => pool.query('select 1')))))
  await Promise.all(pools.map((pool) => pool.end()))
  await until(() => app.emulator.counts.connections.database.open === 0)
  assert.equal((await app.emulator.query("select 1 from pg_stat_activity where backend_type = 'client backend' and pid <> pg_backend_pid()")).length, 0)
  assert.deepEqual(app.calls, { oauth: 1, postgres: 1, database: 0 })
})

test('pools that were ended take no memory', async () => {
  const main = async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const round = async (count) => {
      for (let number = 0; number < count; number++) {
        const pool = createLakebasePool({ max: 1 })
        await pool.query("select repeat('x', 100000) as text where $1", [true])
        await pool.end()
      }
    }
    const used = () => {
      for (let time = 0; time < 3; time++) gc()
      return process.memoryUsage().heapUsed
    }
    await round(50)
    const before = used()
    await round(200)
    console.log((used() - before) / 200)
  }
  const { code, stdout } = await run(main, { execArgv: ['--expose-gc'] })
  assert.equal(code, 0)
  assert.ok(Number(stdout) < 4096, `${stdout} bytes for each pool`)
})

test('one environment, several modules: import and require share classes, pools and tokens', async () => {
  const main = async () => {
    const imported = await import('lakebase-native')
    const { createRequire } = await import('node:module')
    const required = createRequire(`${process.cwd()}/`)('lakebase-native')
    const tokens = await Promise.all([imported.getToken(), required.getToken()])
    console.log(imported.LakebasePool === required.LakebasePool, imported.LakebaseError === required.LakebaseError, tokens[0] === tokens[1])
  }
  assert.equal((await run(main)).stdout, 'true true true\n')
  assert.deepEqual(app.calls, { oauth: 1, postgres: 1, database: 0 })
})
