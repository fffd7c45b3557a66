// A Lakebase pool's clients have the settings that the pool has resolved: nothing is read again by node-postgres' rules.
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { getToken } from 'lakebase-native'
import { deploy } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const app = deploy()

/** What `look` sees of a client that is checked out of a pool with these options. */
async function ofClient(options, look) {
  const client = await app.pool(options).connect()
  try {
    return await look(client)
  } finally {
    client.release()
  }
}

test('sslnegotiation: direct needs no word about TLS, which is on', async () => {
  app.environment({ PGSSLMODE: undefined })
  const seen = await ofClient({ sslnegotiation: 'direct' }, async (client) => {
    const { rows } = await client.query('select 1 as one')
    return { rows, ssl: client.ssl, negotiation: client.sslNegotiation }
  })
  assert.deepEqual(seen, { rows: [{ one: 1 }], ssl: true, negotiation: 'direct' })
})

test("an sslmode in the connection string is Lakebase's, and warns of nothing", async () => {
  const { PGHOST, PGPORT, PGUSER } = app.emulator.env
  const connectionString = `postgres://${PGUSER}:${encodeURIComponent(await getToken())}@${PGHOST}:${PGPORT}/${app.emulator.database}?sslmode=require`
  const warnings = []
  const listener = ({ message }) => warnings.push(message)
  process.on('warning', listener)
  try {
    await ofClient({ connectionString }, (client) => client.query('select 1'))
    await turn()
  } finally {
    process.off('warning', listener)
  }
  assert.deepEqual(warnings, [])
})

test("where a client is and what it tells the server are the pool's", async () => {
  app.environment({ LAKEBASE_HOSTNAME: app.emulator.env.PGHOST, PGHOST: undefined, PGAPPNAME: 'mine' })
  const { PGHOST: host, PGUSER: user } = app.emulator.env
  const database = app.emulator.database
  const seen = await ofClient({ statement_timeout: 5000 }, (client) => {
    const { connectionParameters: parameters } = client
    return [
      { host: client.host, port: client.port, user: client.user, database: client.database },
      { host: parameters.host, port: parameters.port, user: parameters.user, database: parameters.database },
      client.getStartupConf(),
    ]
  })
  const where = { host, port: app.emulator.ports.database, user, database }
  assert.deepEqual(seen, [where, where, { user, database, application_name: 'mine', options: '-c statement_timeout=5000' }])
})

test("query_timeout holds, from the connection string, too", async () => {
  const { PGHOST, PGPORT, PGUSER } = app.emulator.env
  const url = `postgres://${PGUSER}:${encodeURIComponent(await getToken())}@${PGHOST}:${PGPORT}/${app.emulator.database}`
  for (const options of [{ connectionString: `${url}?query_timeout=50` }, { connectionString: url, query_timeout: 50 }]) {
    const pool = app.pool(options)
    assert.match((await failureOf(pool.query('select pg_sleep(60)'))).message, /timeout/)
    await ofClient(options, async (client) => assert.match((await failureOf(client.query('select pg_sleep(60)'))).message, /timeout/))
  }
})

test('the password is not shown with them', async () => {
  const { inspect } = await import('node:util')
  const password = () => getToken()
  const seen = await ofClient({ password }, (client) => [inspect(client.connectionParameters), JSON.stringify(client.connectionParameters), client.password])
  assert.ok(!seen[0].includes('password') && !seen[1].includes('password'))
  assert.equal(seen[2], password)
})
