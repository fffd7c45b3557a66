/** The pool of Databricks' cookbook: pg with a password callback that fetches the two tokens. */

import { writeSync } from 'node:fs'
import pg from 'pg'

const { DATABRICKS_HOST = '', DATABRICKS_CLIENT_ID = '', DATABRICKS_CLIENT_SECRET = '', LAKEBASE_ENDPOINT, PGUSER } = process.env
const workspace = DATABRICKS_HOST.startsWith('https://') ? DATABRICKS_HOST : `https://${DATABRICKS_HOST}`

/**
 * @param {string} path
 * @param {RequestInit} request
 */
async function post(path, request) {
  const response = await fetch(new URL(path, workspace), { method: 'POST', ...request })
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status} ${await response.text()}`)
  return /** @type {Record<string, string>} */ (await response.json())
}

async function password() {
  const { access_token } = await post('/oidc/v1/token', {
    headers: { authorization: `Basic ${btoa(`${DATABRICKS_CLIENT_ID}:${DATABRICKS_CLIENT_SECRET}`)}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'all-apis' }),
  })
  const { token } = await post('/api/2.0/postgres/credentials', {
    headers: { authorization: `Bearer ${access_token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ endpoint: LAKEBASE_ENDPOINT }),
  })
  return token
}

const pool = new pg.Pool({ user: PGUSER ?? DATABRICKS_CLIENT_ID, password, ssl: { rejectUnauthorized: true } })
const { rows } = await pool.query('SELECT 1 AS one')
writeSync(1, `${rows[0].one}\n`)
await pool.end()
