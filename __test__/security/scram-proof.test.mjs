// A server that has begun SCRAM must prove that it knows the password before anything else it says is believed.
import assert from 'node:assert/strict'
import { beforeEach } from 'node:test'
import { createLakebasePool } from 'lakebase-native'
import { Pool } from 'lakebase-native/pg'
import { say, startFakeServer } from '../compat/fake-server.mjs'
import { setEnvironment } from '../support/deployment.mjs'
import { failureOf } from '../support/outcome.mjs'
import { ScramServer } from '../support/scram.mjs'
import { test } from '../support/test.mjs'

const password = 'known-to-both-0123'
const CLEARTEXT = 3
const MD5 = 5
const SASL = 10
const CONTINUE = 11
const FINAL = 12

const mechanisms = Buffer.from('SCRAM-SHA-256\0\0')
const begin = () => say.authentication(SASL, mechanisms)
const goOn = (scram, body) => say.authentication(CONTINUE, Buffer.from(scram.first(body)))
const proof = (scram, body) => say.authentication(FINAL, Buffer.from(scram.final(body)))
const forged = () => say.authentication(FINAL, Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`))

/** What the server says to the startup message and to each message with a password; the last also to all that follow. */
const honest = [begin, goOn, (scram, body) => Buffer.concat([proof(scram, body), say.welcome()])]
const dishonest = {
  'goes on to the session when SCRAM has just begun': [begin, say.welcome],
  'says no more than that it is ready': [begin, () => say.ready()],
  'leaves the proof out': [begin, goOn, say.welcome],
  'leaves the proof out and skips AuthenticationOk': [begin, goOn, () => Buffer.concat([say.parameterStatus('a', 'b'), say.ready()])],
  'forges the proof': [begin, goOn, () => Buffer.concat([forged(), say.welcome()])],
  'gives a proof before it was asked for one': [begin, () => Buffer.concat([forged(), say.welcome()])],
  'begins SCRAM again': [begin, begin],
  'begins SCRAM again after its first message': [begin, goOn, begin],
  'begins SCRAM again after its proof': [begin, goOn, (scram, body) => Buffer.concat([proof(scram, body), begin()])],
  'asks for the password in clear text instead': [begin, () => say.authentication(CLEARTEXT), say.welcome],
  'asks for the password in clear text after its first message': [begin, goOn, () => say.authentication(CLEARTEXT), say.welcome],
  'asks for the password in clear text after its proof': [
    begin,
    goOn,
    (scram, body) => Buffer.concat([proof(scram, body), say.authentication(CLEARTEXT)]),
    say.welcome,
  ],
  'asks for an MD5 hash instead': [begin, () => say.authentication(MD5, Buffer.alloc(4)), say.welcome],
  'describes rows': [begin, goOn, () => say.rowDescription([{ name: 'a' }])],
}

async function serve(t, script) {
  const received = []
  const server = await startFakeServer((socket, { letter, body }) => {
    received.push(body)
    socket.state ??= { scram: new ScramServer(password), step: 0 }
    if (letter === 'Q') return socket.write(Buffer.concat([say.commandComplete('SELECT 0'), say.ready()]))
    if (letter !== null && letter !== 'p') return
    const { scram, step } = socket.state
    socket.state.step++
    socket.write(script[Math.min(step, script.length - 1)](scram, body))
  })
  t.after(() => server.close())
  return { server, received }
}

beforeEach(() => setEnvironment({}))

const pools = { 'createLakebasePool()': createLakebasePool, 'lakebase-native/pg': (options) => new Pool(options) }
for (const [name, open] of Object.entries(pools)) {
  const ask = async (t, script) => {
    const { server, received } = await serve(t, script)
    const pool = open({ host: server.host, port: server.port, user: 'me', database: 'mine', password, ssl: false })
    pool.on('error', () => {})
    t.after(() => pool.end())
    return { answer: pool.query('select 1'), received }
  }

  test(`${name}: a server that proves it is believed, and one that asks for nothing`, async (t) => {
    for (const script of [honest, [say.welcome]]) {
      const { answer } = await ask(t, script)
      assert.equal((await answer).command, 'SELECT')
    }
  })

  for (const [what, script] of Object.entries(dishonest)) {
    test(`${name}: a server that ${what} is refused`, async (t) => {
      const { answer, received } = await ask(t, script)
      const error = await failureOf(answer)
      // In place of pg, errors of ours are plain ones.
      if (open === createLakebasePool) assert.deepEqual([error.name, error.code], ['AuthenticationError', 'SCRAM_FAILED'], error.stack)
      assert.match(error.message, /^the server has not proved that it knows the password|^the SCRAM exchange with the server failed/)
      assert.ok(!Buffer.concat(received).includes(password))
    })
  }
}
