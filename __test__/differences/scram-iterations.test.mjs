// `scramMaxIterations` can lower the bound on a server's rounds of hashing, and cannot raise it above the default.
import assert from 'node:assert/strict'
import { after, before } from 'node:test'
import theirs from 'pg'
import ours from 'lakebase-native/pg'
import { postgres } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

const password = 'the password of these tests'

let server
before(async () => {
  server = await postgres({ host: '127.0.0.1', password })
  for (const rounds of [4_096, 100_000, 150_000]) {
    await server.query(`set scram_iterations = ${rounds}; create role rounds_${rounds} login password '${password}'`)
  }
})
after(() => server.stop())

/** Who is logged in, or the error's message. */
async function login(pg, rounds, scramMaxIterations) {
  const user = `rounds_${rounds}`
  const client = new pg.Client({ host: server.host, port: server.port, user, password, database: 'postgres', scramMaxIterations })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query('select current_user as me')).rows[0].me
  } catch (error) {
    return error.message
  } finally {
    await client.end().catch(() => {})
  }
}

const refused = (asked, most) => `SASL: SCRAM-SERVER-FIRST-MESSAGE: iteration count ${asked} exceeds scramMaxIterations of ${most}`

for (const most of [150_000, 200_000]) {
  test(`more than 100,000 rounds are too many, with scramMaxIterations: ${most} too`, async () => {
    assert.equal(await login(theirs, 150_000, most), 'rounds_150000')
    assert.equal(await login(ours, 150_000, most), refused(150_000, 100_000))
  })
}

for (const [rounds, most, expected] of [
  [150_000, undefined, refused(150_000, 100_000)],
  [100_000, undefined, 'rounds_100000'],
  [100_000, 100_000, 'rounds_100000'],
  [100_000, 200_000, 'rounds_100000'],
  [100_000, 99_999, refused(100_000, 99_999)],
  [4_096, 4_096, 'rounds_4096'],
  [4_096, 4_095, refused(4_096, 4_095)],
]) {
  test(`${rounds} rounds with scramMaxIterations: ${most} end as in pg`, async () => {
    assert.equal(await login(theirs, rounds, most), expected)
    assert.equal(await login(ours, rounds, most), expected)
  })
}
