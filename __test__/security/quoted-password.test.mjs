// What a server repeats of a password while it refuses a login shows in no error and no notice.
import assert from 'node:assert/strict'
import { beforeEach } from 'node:test'
import { createLakebasePool } from 'lakebase-native'
import { Client, Pool } from 'lakebase-native/pg'
import { say, startFakeServer } from '../compat/fake-server.mjs'
import { setEnvironment } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { shown } from '../support/secrets.mjs'
import { test } from '../support/test.mjs'

const CLEARTEXT = 3

beforeEach(() => setEnvironment({}))

/** Asks for the password, and refuses it with what `texts` makes of it. */
async function refusing(t, texts, farewell = say.error) {
  const server = await startFakeServer((socket, { letter, body }) => {
    if (letter === null) return socket.write(say.authentication(CLEARTEXT))
    if (letter !== 'p') return
    socket.write(farewell({ S: 'FATAL', V: 'FATAL', C: '28P01', ...texts(body.subarray(0, -1).toString()) }))
  })
  t.after(() => server.close())
  return { host: server.host, port: server.port, user: 'postgres', database: 'postgres', ssl: false }
}

const pools = { 'createLakebasePool()': createLakebasePool, 'lakebase-native/pg': (options) => new Pool(options) }
for (const [name, open] of Object.entries(pools)) {
  const failure = async (t, password, texts) => {
    const pool = open({ ...(await refusing(t, texts)), password })
    t.after(() => pool.end())
    return failureOf(pool.query('select 1'))
  }

  test(`${name}: a password in any field and any form`, async (t) => {
    const password = 'p@ss "wörd"/1\\2 0123'
    const forms = {
      plain: (text) => text,
      percent: encodeURIComponent,
      form: (text) => new URLSearchParams({ '': text }).toString().slice(1),
      json: (text) => JSON.stringify(text).slice(1, -1),
      base64: (text) => Buffer.from(text).toString('base64'),
      base64url: (text) => Buffer.from(text).toString('base64url'),
      basic: (text) => Buffer.from(`postgres:${text}`).toString('base64'),
      sql: (text) => text.replaceAll('"', '""'),
    }
    for (const [form, write] of Object.entries(forms)) {
      const error = await failure(t, password, (secret) => ({
        M: `wrong password: ${write(secret)}.`,
        D: `twice: ${write(secret)} ${write(secret)}`,
        ...Object.fromEntries([...'HWqstcdnFR'].map((field) => [field, `<${write(secret)}>`])),
      }))
      const { detail, hint, where, internalQuery, schema, table, column, dataType, constraint, file, routine } = error
      assert.equal(error.code, '28P01')
      assert.equal(error.message, 'wrong password: [redacted].', form)
      assert.equal(detail, 'twice: [redacted] [redacted]', form)
      for (const text of [hint, where, internalQuery, schema, table, column, dataType, constraint, file, routine]) assert.equal(text, '<[redacted]>', form)
      assert.ok(!shown(error).includes(write(password)))
    }
  })

  test(`${name}: a short password, or one that is a word, leaves the error readable`, async (t) => {
    const text = 'password authentication failed for user "postgres"'
    for (const password of ['a', 'on', 'user', 'password', 'authentication', 'postgres']) {
      assert.equal((await failure(t, password, () => ({ M: text }))).message, text)
    }
    assert.equal((await failure(t, 'on', (secret) => ({ M: `wrong password "${secret}"` }))).message, 'wrong password "[redacted]"')
  })

  test(`${name}: a password function's answer`, async (t) => {
    const error = await failure(t, async () => 'from-the-vault-0123', (secret) => ({ M: `no ${secret}` }))
    assert.equal(error.message, 'no [redacted]')
  })
}

test('a notice during the login', async (t) => {
  const answer = (content) => Buffer.concat([say.notice(content), say.welcome()])
  const options = await refusing(t, (secret) => ({ S: 'WARNING', V: 'WARNING', M: `${secret} will expire` }), answer)
  const client = new Client({ ...options, password: 'expiring-0123' })
  const notices = []
  client.on('notice', ({ message }) => notices.push(message))
  await client.connect()
  await client.end()
  assert.deepEqual(notices, ['[redacted] will expire'])
})
