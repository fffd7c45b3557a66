// The URL of getDatabaseUrl() makes other clients verify the server as a pool of ours would.
import assert from 'node:assert/strict'
import { Client } from 'pg'
import postgres from 'postgres'
import { createLakebasePool, getDatabaseUrl } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()
const sslmode = async (options) => new URL(await getDatabaseUrl(options)).searchParams.get('sslmode')

test('the mode is what was configured', async () => {
  for (const [sslMode, word] of [
    [undefined, 'verify-full'],
    ['require', 'verify-full'],
    ['verify-full', 'verify-full'],
    ['verify-ca', 'verify-ca'],
    ['prefer', 'prefer'],
    ['no-verify', 'prefer'],
    ['disable', 'disable'],
  ]) {
    assert.equal(await sslmode({ sslMode }), word, `${sslMode}`)
    app.environment({ PGSSLMODE: sslMode })
    assert.equal(await sslmode(), word, `PGSSLMODE=${sslMode}`)
    app.environment()
  }
  for (const ssl of [true, {}, { rejectUnauthorized: true }]) assert.equal(await sslmode({ ssl }), 'verify-full')
  assert.equal(await sslmode({ ssl: { rejectUnauthorized: false } }), 'prefer')
})

test('a pool of its own URL verifies as much', async () => {
  for (const sslMode of ['verify-full', 'verify-ca', 'prefer', 'disable']) {
    const connectionString = await getDatabaseUrl({ sslMode })
    app.environment({ LAKEBASE_ENDPOINT: undefined, DATABASE_URL: connectionString })
    assert.equal(await sslmode(), sslMode)
    app.environment()
  }
})

// Nobody but the pool knows the emulator's authority.
test('clients that take the URL refuse a server whose certificate they do not trust', async () => {
  const url = await getDatabaseUrl()
  const pool = createLakebasePool()
  assert.equal((await pool.query('select 1 as one')).rows[0].one, 1)
  await pool.end()
  const client = new Client(url)
  assert.match((await failureOf(client.connect())).code, /^UNABLE_TO_|^SELF_SIGNED/)
  const sql = postgres(url)
  assert.match((await failureOf(sql`select 1`)).code, /^UNABLE_TO_|^SELF_SIGNED/)
  await sql.end()
})
