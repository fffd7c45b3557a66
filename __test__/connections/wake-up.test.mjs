// A database that sleeps until somebody logs in: logins wait, or are refused for a while.
import assert from 'node:assert/strict'
import { createLakebasePool } from 'lakebase-native'
import { startEmulator } from 'lakebase-native/emulator'
import { setEnvironment } from '../support/deployment.mjs'
import { range, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const sessions = "select count(*) from pg_stat_activity where state = 'idle' and usename <> current_user"

for (const wakeUp of ['hold', 'error']) {
  test(`callers wait for a database that wakes up, the first time and later (${wakeUp})`, async (t) => {
    const emulator = await startEmulator({ wakeUp, wakeUpDelayMillis: 1_000 })
    t.after(() => emulator.stop())
    setEnvironment(emulator.env)
    const pool = createLakebasePool({ max: 3 })
    pool.on('error', () => {})
    const ask = async () => {
      const answers = await Promise.all(range(30).map((number) => pool.query('select $1::int as number', [number])))
      assert.deepEqual(answers.map(({ rows }) => rows[0].number), range(30))
    }
    await ask()
    // Those that were still being refused meanwhile come up now, or are given up: nobody waits for them.
    await until(async () => Number((await emulator.query(sessions))[0].count) === pool.totalCount)
    await emulator.suspend()
    await until(() => pool.totalCount === 0)
    await ask()
    await pool.end()
  })
}
