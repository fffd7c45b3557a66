// The schema that sessions begin in: quoted, so that no name does harm; made if asked for.
import assert from 'node:assert/strict'
import { deploy } from '../support/deployment.mjs'
import { failureOf, range } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy({ sql: 'create schema shop; create schema "Odd name"; create schema "with\\back"' })
const where = "select current_schema() as schema, current_setting('search_path') as path"

test('schema, PGSCHEMA and LAKEBASE_SCHEMA, in this order', async () => {
  app.environment({ LAKEBASE_SCHEMA: 'nowhere', PGSCHEMA: 'shop' })
  assert.deepEqual((await app.pool().query(where)).rows, [{ schema: 'shop', path: '"shop"' }])
  assert.equal((await app.pool({ schema: 'Odd name' }).query(where)).rows[0].schema, 'Odd name')
  app.environment({ LAKEBASE_SCHEMA: 'shop' })
  assert.equal((await app.pool().query(where)).rows[0].schema, 'shop')
})

test('it comes behind the options of the caller', async () => {
  const { rows } = await app.pool({ schema: 'shop', options: '-c search_path=public -c work_mem=8MB' }).query(`${where}, current_setting('work_mem') as memory`)
  assert.deepEqual([rows[0].schema, rows[0].memory], ['shop', '8MB'])
})

for (const name of ['a"b', 'a -c work_mem=1MB', "'; drop schema shop; --", 'tab\there', 'with\\back', '$user', 'é', '"quoted"', 'a,b', '\\', ' ']) {
  test(`a name such as ${JSON.stringify(name)} is a name and nothing else`, async () => {
    const { rows } = await app.pool({ schema: name }).query(`${where}, current_setting('work_mem') as memory`)
    assert.deepEqual(rows[0].path, `"${name.replaceAll('"', '""')}"`)
    assert.equal(rows[0].memory, '4MB')
  })
}

test('perDeveloperSchema names the app and the user; createSchema makes it', async () => {
  app.environment({ PGAPPNAME: 'My Shop', PGUSER: undefined }, { auth: 'pat' })
  const pool = app.pool({ perDeveloperSchema: true, createSchema: true })
  const results = await Promise.all(range(20).map(() => pool.query(where)))
  for (const { rows } of results) assert.equal(rows[0].schema, 'my_shop_developer')
  await pool.query('create table mine (id int)')
  const [{ schemaname }] = await app.emulator.query("select schemaname from pg_tables where tablename = 'mine'")
  assert.equal(schemaname, 'my_shop_developer')
})

test('createSchema runs before onConnect, and only where it is asked for', async () => {
  const seen = []
  const onConnect = async (client) => seen.push((await client.query(where)).rows[0].schema)
  await app.pool({ schema: 'made later', onConnect }).query('select 1')
  await app.pool({ schema: 'made later', createSchema: true, onConnect }).query('select 1')
  assert.deepEqual(seen, [null, 'made later'])
})

test('many programs that make it at the same moment', async () => {
  const pools = range(10).map(() => app.pool({ schema: 'contended', createSchema: true, max: 1 }))
  for (const { rows } of await Promise.all(pools.map((pool) => pool.query(where)))) assert.equal(rows[0].schema, 'contended')
})

test('a name that is too long, or none, is refused', async () => {
  for (const schema of ['x'.repeat(64), '', 5]) {
    const error = await failureOf(() => app.pool({ schema }))
    assert.deepEqual(error.problems.map(({ option }) => option), ['schema'])
  }
})
