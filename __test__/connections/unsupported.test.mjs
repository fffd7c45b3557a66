// What node-postgres has and this package has not is refused, in words, where ignoring it would do something else.
import assert from 'node:assert/strict'
import { Client, Pool } from 'lakebase-native/pg'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { postgres } from '../support/postgres.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

test('a socket of the caller', async () => {
  const options = { ...app.address(), password: getToken, stream: () => {} }
  const pool = new Pool(options)
  for (const failing of [new Client(options).connect(), pool.query('select 1'), pool.connect()]) {
    assert.match((await failureOf(failing)).message, /`stream` is not supported/)
  }
  await pool.end()
})

test('a replication stream; the commands of the mode are answered', async () => {
  const server = await postgres()
  const client = new Client({ host: server.socketDir, port: server.port, user: server.superuser, database: 'postgres', replication: 'database' })
  client.on('error', () => {})
  await client.connect()
  assert.equal((await client.query('IDENTIFY_SYSTEM')).rows[0].dbname, 'postgres')
  assert.match((await failureOf(client.query('START_REPLICATION 0/0'))).message, /replication stream, which is not supported/)
  await client.end()
  await server.stop()
})
