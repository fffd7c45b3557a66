// Whether something secret shows, in any of the ways in which values get into logs.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'

/** Shorter pieces of a secret happen by chance. */
const PIECE = 12

/** What the logs of an app could hold of a value. */
export function shown(value) {
  const texts = [{}, { getters: true }, { customInspect: false }, { customInspect: false, getters: true }]
    .map((options) => inspect(value, { depth: 9, ...options }))
    .concat(String(value), json(value))
  for (let error = value; error instanceof Error; error = error.cause) texts.push(error.message, error.stack, JSON.stringify(error))
  return texts.join('\n')
}

function json(value) {
  const seen = new Set()
  return JSON.stringify(value, (_, member) => {
    if (typeof member !== 'object' || member === null) return typeof member === 'bigint' ? String(member) : member
    return seen.has(member) ? '[seen]' : seen.add(member) && member
  })
}

/** Fails when a piece of a secret is in a text. */
export function assertHidden(secrets, text) {
  for (const secret of secrets) {
    assert.ok(secret.length >= PIECE, 'a secret of the test is too short to be told from chance')
    for (let at = 0; at + PIECE <= secret.length; at++) {
      const piece = secret.slice(at, at + PIECE)
      assert.ok(!text.includes(piece), `a secret shows: ${piece}… in ${text.slice(0, 2000)}`)
    }
  }
}

/** The secrets of the emulator and its clients, in every form in which they travel. */
export function secretsOf(emulator, ...more) {
  const { DATABRICKS_CLIENT_ID: id, DATABRICKS_CLIENT_SECRET: secret } = emulator.env
  const { DATABRICKS_TOKEN: personal } = emulator.envFor({ auth: 'pat' })
  // The id itself is the database's user name and may show.
  const basic = Buffer.from(`${id}:${secret}`).toString('base64').slice(-PIECE)
  return [secret, personal, basic, encodeURIComponent(secret), ...more]
}
