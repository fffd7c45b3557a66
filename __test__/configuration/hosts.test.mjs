// Hosts that run functions: what a pool does there where nothing is given. docs/hosts.md has the table.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Pool } from 'lakebase-native/pg'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

const hosts = [
  [{ VERCEL: '1', AWS_LAMBDA_FUNCTION_NAME: 'items' }, { max: 5, idleTimeoutMillis: 5_000, allowExitOnIdle: true }],
  [{ NETLIFY: 'true' }, { max: 2, idleTimeoutMillis: 60_000, allowExitOnIdle: true }],
  [{ AWS_LAMBDA_FUNCTION_NAME: 'items' }, { max: 2, idleTimeoutMillis: 60_000, allowExitOnIdle: true }],
  [{ FUNCTIONS_WORKER_RUNTIME: 'node' }, { max: 5, idleTimeoutMillis: 10_000, allowExitOnIdle: true }],
  [{ K_SERVICE: 'items' }, { max: 5, idleTimeoutMillis: 10_000, allowExitOnIdle: true }],
  [{ CLOUD_RUN_JOB: 'items' }, { max: 5, idleTimeoutMillis: 10_000, allowExitOnIdle: true }],
  [{}, { max: 10, idleTimeoutMillis: 30_000, allowExitOnIdle: false }],
]

const sizes = ({ options: { max, idleTimeoutMillis, allowExitOnIdle } }) => ({ max, idleTimeoutMillis, allowExitOnIdle })

for (const [variables, expected] of hosts) {
  test(`defaults with ${Object.keys(variables).join(' and ') || 'none of the variables'}`, () => {
    app.environment(variables)
    assert.deepEqual(sizes(app.pool()), expected)
  })
}

test('each is overridden by its option', () => {
  app.environment({ AWS_LAMBDA_FUNCTION_NAME: 'items' })
  const given = { max: 7, idleTimeoutMillis: 1_000, allowExitOnIdle: false }
  for (const [name, value] of Object.entries(given)) assert.equal(app.pool({ [name]: value }).options[name], value)
  assert.deepEqual(sizes(app.pool(given)), given)
})

test('a pool of lakebase-native/pg knows no host', async () => {
  app.environment({ AWS_LAMBDA_FUNCTION_NAME: 'items', VERCEL: '1' })
  const pool = new Pool()
  assert.deepEqual(sizes(pool), { max: 10, idleTimeoutMillis: 10_000, allowExitOnIdle: false })
  await pool.end()
})

test('docs/hosts.md says the same', () => {
  const page = readFileSync(createRequire(import.meta.url).resolve('lakebase-native/package.json').replace(/package\.json$/, 'docs/hosts.md'), 'utf8')
  for (const [variables, { max, idleTimeoutMillis, allowExitOnIdle }] of hosts) {
    const [variable] = Object.keys(variables)
    const row = page.split('\n').find((line) => line.startsWith('|') && (variable ? line.includes(`\`${variable}\``) : line.includes('anywhere else')))
    assert.ok(row, variable)
    assert.deepEqual(row.split('|').slice(3, 6).map((cell) => cell.trim()), [String(max), String(idleTimeoutMillis), String(allowExitOnIdle)])
  }
})

test('an idle connection keeps no function from ending', async () => {
  app.environment({ AWS_LAMBDA_FUNCTION_NAME: 'items' })
  const { code, stdout } = await run(async () => {
    const { createLakebasePool } = await import('lakebase-native')
    const pool = createLakebasePool({ idleTimeoutMillis: 0 })
    await pool.query('select 1')
    process.once('exit', () => console.log('exits with', pool.totalCount, 'open'))
    process.disconnect()
  })
  assert.deepEqual([code, stdout], [0, 'exits with 1 open\n'])
})
