// Clients of the emulator that share no code with it: node:https for the workspace API, node-postgres for the database.
import { request } from 'node:https'
import pg from 'pg'

/** Sends a request; resolves with `{ status, headers, text }`, and `body` when the text is JSON. */
export function call(emulator, method, path, { headers = {}, body } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request(`${emulator.env.DATABRICKS_HOST}${path}`, { method, headers, ca: emulator.ca, agent: false }, async (response) => {
      let text = ''
      try {
        for await (const chunk of response) text += chunk
      } catch (error) {
        return reject(error)
      }
      let parsed
      try {
        parsed = JSON.parse(text)
      } catch {
        // Left undefined: some tests ask for answers that are not JSON.
      }
      resolve({ status: response.statusCode, headers: response.headers, text, body: parsed })
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

export function form(fields) {
  return new URLSearchParams(fields).toString()
}

export function basic(id, secret) {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

export function bearer(token) {
  return { authorization: `Bearer ${token}` }
}

/** An access token of the emulator's service principal. */
export async function accessToken(emulator) {
  const { DATABRICKS_CLIENT_ID: id, DATABRICKS_CLIENT_SECRET: secret } = emulator.env
  const body = form({ grant_type: 'client_credentials', scope: 'all-apis' })
  const answer = await call(emulator, 'POST', '/oidc/v1/token', { headers: basic(id, secret), body })
  return answer.body.access_token
}

/** A database credential of the service principal, or of whom `token` belongs to. */
export async function databaseToken(emulator, { token, endpoint = emulator.endpoint } = {}) {
  const headers = bearer(token ?? (await accessToken(emulator)))
  const answer = await call(emulator, 'POST', '/api/2.0/postgres/credentials', { headers, body: JSON.stringify({ endpoint }) })
  return answer.body.token
}

/** A node-postgres client for the emulator, not connected yet. `ended` resolves when its socket is gone. */
export function client(emulator, password, options = {}) {
  const made = new pg.Client({
    host: emulator.env.PGHOST,
    port: emulator.ports.database,
    user: emulator.env.PGUSER,
    database: emulator.database,
    password,
    ssl: { ca: emulator.ca },
    ...options,
  })
  made.ended = new Promise((resolve) => made.once('end', resolve))
  // Tests end connections from outside; an unheard error would end the process.
  made.on('error', () => {})
  return made
}

export async function connected(emulator, password, options) {
  const made = client(emulator, password, options)
  await made.connect()
  return made
}
