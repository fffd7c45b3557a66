// What every error must be: typed, in time, with advice, without a secret.
import assert from 'node:assert/strict'
import * as lakebase from 'lakebase-native'
import { failureOf } from './outcome.mjs'
import { assertHidden, secretsOf, shown } from './secrets.mjs'

/** `connectionTimeoutMillis` of pools that fail at once: no busy machine needs as long. */
const PLENTY_MILLIS = 20_000
/** The same of pools that try until then. */
export const SHORT = { connectionTimeoutMillis: 2_000 }
/** When a failure counts as a hang. */
const HANG_MILLIS = 60_000

/** Everything that is written to the terminal during `work`. */
async function written(work) {
  const texts = []
  const streams = [process.stdout, process.stderr]
  const writes = streams.map((stream) => stream.write)
  for (const [index, stream] of streams.entries()) {
    stream.write = (chunk, ...rest) => {
      texts.push(String(chunk))
      return writes[index].call(stream, chunk, ...rest)
    }
  }
  try {
    return [await work(), texts.join('')]
  } finally {
    for (const [index, stream] of streams.entries()) stream.write = writes[index]
  }
}

function bounded(promise) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new assert.AssertionError({ message: `it hangs: nothing happened in ${HANG_MILLIS} ms` })), HANG_MILLIS)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/**
 * Runs a first query that is expected to fail, and checks the error: `name`, `code`, `status`, and patterns for `message` and `hint`.
 * Returns the error.
 */
export async function refusal(app, poolOptions, expected) {
  const pool = app.pool({ connectionTimeoutMillis: PLENTY_MILLIS, ...poolOptions })
  const [error, output] = await written(() => bounded(failureOf(pool.query('select 1'))))
  checkError(error, expected)
  const { password, connectionString } = { ...poolOptions }
  const secrets = secretsOf(app.emulator, ...[password, connectionString].filter((secret) => typeof secret === 'string'))
  assertHidden(secrets, [shown(error), shown(pool), output].join('\n'))
  assert.deepEqual([pool.totalCount, pool.idleCount, pool.waitingCount], [0, 0, 0], 'nothing is left of the attempt')
  return error
}

export function checkError(error, { name, code, status, message, hint }) {
  assert.ok(error instanceof Error)
  assert.equal(error.name, name, error.stack)
  if (name in lakebase) assert.ok(error instanceof lakebase[name] && error instanceof lakebase.LakebaseError)
  assert.equal(error.code, code, error.stack)
  assert.equal(error.status, status, error.stack)
  if (message) assert.match(error.message, message)
  if (hint) {
    assert.match(error.hint, hint, 'says what to do')
    assert.ok(error.message.includes(error.hint), 'the advice is part of the message')
  }
}
