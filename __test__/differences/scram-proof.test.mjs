// pg believes a server that leaves the proof out of SCRAM; ours refuses it (__test__/security/scram-proof.test.mjs has the other cases).
import assert from 'node:assert/strict'
import pg from 'pg'
import * as ours from 'lakebase-native/pg'
import { say, startFakeServer } from '../compat/fake-server.mjs'
import { failureOf } from '../support/outcome.mjs'
import { ScramServer } from '../support/scram.mjs'
import { test } from '../support/test.mjs'

test('a server that leaves the proof out of SCRAM', async (t) => {
  const password = 'known-to-both-0123'
  const server = await startFakeServer((socket, { letter, body }) => {
    if (letter === null) socket.write(say.authentication(10, Buffer.from('SCRAM-SHA-256\0\0')))
    else if (letter === 'p' && body.includes('SCRAM')) socket.write(say.authentication(11, Buffer.from(new ScramServer(password).first(body))))
    else if (letter === 'p') socket.write(say.welcome())
  })
  t.after(() => server.close())
  const clients = [pg, ours].map(({ Client }) => new Client({ host: server.host, port: server.port, user: 'me', database: 'mine', password }))
  const [theirs, our] = clients
  await theirs.connect()
  await theirs.end()
  assert.match((await failureOf(our.connect())).message, /^the server has not proved that it knows the password/)
})
