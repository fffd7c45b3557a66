// docs/from-the-cookbook.md: the flow of the DevHub cookbook's recipes for apps outside of Databricks, on this package.
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import pg from 'pg'
import { createLakebasePool, getCredential, getToken } from 'lakebase-native'
import { drizzle as ours } from 'lakebase-native/drizzle'
import { migrate as migrateOurs } from 'lakebase-native/drizzle/migrator'
import { start } from '../support/child.mjs'
import { movableClock } from '../support/clock.mjs'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

const products = pgTable('products', { id: integer('id').primaryKey(), name: text('name').notNull() })

/** What `drizzle-kit generate` writes. */
const migrationsFolder = mkdtempSync(join(tmpdir(), 'lakebase-native-cookbook-'))
after(() => rmSync(migrationsFolder, { recursive: true }))
mkdirSync(join(migrationsFolder, 'meta'))
writeFileSync(join(migrationsFolder, '0000_products.sql'), 'create table products (id integer primary key, name text not null);')
const entries = [{ idx: 0, version: '7', when: 1_700_000_000_000, tag: '0000_products', breakpoints: true }]
writeFileSync(join(migrationsFolder, 'meta/_journal.json'), JSON.stringify({ version: '7', dialect: 'postgresql', entries }))

test('the environment is validated: one error lists all that is wrong', () => {
  app.environment({ DATABRICKS_HOST: 'http://workspace.example', LAKEBASE_ENDPOINT: 'production', PGPORT: 'five', PGSSLMODE: 'maybe' })
  assert.throws(createLakebasePool, ({ name, problems }) => {
    assert.deepEqual(problems.map(({ variable }) => variable).sort(), ['DATABRICKS_HOST', 'LAKEBASE_ENDPOINT', 'PGPORT', 'PGSSLMODE'])
    return name === 'ConfigurationError'
  })
})

for (const [auth, what] of [['m2m', 'OAuth M2M'], ['pat', 'a fixed token']]) {
  test(`${what}: the credential is cached`, async () => {
    app.environment({}, { auth })
    const first = await getCredential()
    assert.equal(await getToken(), first.token)
    assert.equal(app.calls.postgres, 1)
  })

  test(`${what}: migrate, write and read through drizzle(pool)`, async () => {
    app.environment({}, { auth })
    await app.emulator.query('drop table if exists products; drop schema if exists drizzle cascade')
    const db = drizzle(app.pool())
    await migrate(db, { migrationsFolder })
    await migrate(db, { migrationsFolder })
    await db.insert(products).values({ id: 1, name: 'lamp' })
    assert.deepEqual(await db.select().from(products), [{ id: 1, name: 'lamp' }])
    assert.equal(app.calls.postgres, 1)
  })
}

test('two minutes before its end the credential is fetched again', async (t) => {
  const clock = movableClock()
  const child = start(
    async () => {
      const { getToken } = await import('lakebase-native')
      process.on('message', async () => process.send(await getToken()))
    },
    { env: clock.env },
  )
  t.after(() => child.process.kill())
  const ask = () => {
    const answer = child.message()
    child.process.send('token')
    return answer
  }
  const first = await ask()
  clock.move({ wall: 57 * 60, monotonic: 57 * 60 })
  assert.equal(await ask(), first)
  assert.equal(app.calls.postgres, 1)
  clock.move({ wall: 58.5 * 60, monotonic: 58.5 * 60 })
  let token
  do token = await ask()
  while (token === first)
  assert.equal(app.calls.postgres, 2)
})

test("the same with this package's driver", async () => {
  await app.emulator.query('drop table if exists products; drop schema if exists drizzle cascade')
  const db = ours()
  await migrateOurs(db, { migrationsFolder })
  await db.insert(products).values({ id: 1, name: 'lamp' })
  assert.deepEqual(await db.select().from(products), [{ id: 1, name: 'lamp' }])
  await db.$client.end()
})

test("the cookbook's own pool takes the tokens", async () => {
  const pool = new pg.Pool({ ...app.address(), password: getToken, max: 3 })
  const rows = await Promise.all(Array.from({ length: 3 }, () => drizzle(pool).execute('select 1 as one')))
  assert.ok(rows.every((result) => result.rows[0].one === 1))
  assert.equal(app.calls.postgres, 1)
  await pool.end()
})
