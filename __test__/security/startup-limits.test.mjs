// What a server may say before anybody has logged in is limited: a flood is refused after about a mebibyte, not collected.
import assert from 'node:assert/strict'
import ours from 'lakebase-native/pg'
import { message, say, startFakeServer } from '../compat/fake-server.mjs'
import { failureOf } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

/** More than what is allowed and what sockets buffer on the way. */
const MUCH = 256 * 1024 * 1024

/** Tries to connect to a server that says `chunk` again and again; how that ended, and how much was taken. */
async function flood(t, first, chunk) {
  let taken = 0
  let closed
  const fake = await startFakeServer((socket, { letter }) => {
    if (letter !== null) return
    closed = new Promise((resolve) => socket.once('close', resolve))
    socket.write(first)
    const pour = () => {
      while (!socket.destroyed && socket.writableLength === 0 && taken < MUCH) {
        taken += chunk.length
        socket.write(chunk, (error) => error || pour())
      }
    }
    pour()
  })
  t.after(() => fake.close())
  const client = new ours.Client({ host: fake.host, port: fake.port, user: 'someone', database: 'some' })
  client.on('error', () => {})
  const error = await failureOf(client.connect())
  await closed
  assert.ok(taken < MUCH, 'the client took all of it')
  return error
}

const notice = say.notice({ S: 'NOTICE', C: '00000', M: 'x'.repeat(60_000) })
const header = (letter, length) => {
  const bytes = Buffer.from(`${letter}....`)
  bytes.writeUInt32BE(length, 1)
  return bytes
}

for (const [what, first, chunk] of [
  ['notices', Buffer.alloc(0), notice],
  ['parameters', say.authenticationOk(), say.parameterStatus('name', 'x'.repeat(60_000))],
  ['authentication that never ends', Buffer.alloc(0), Buffer.concat(Array.from({ length: 4_000 }, () => say.authenticationOk()))],
  ['one message of a gigabyte', header('N', 1 << 30), Buffer.alloc(65_536, 'x')],
  ['one message of 100 KB', header('E', 100_000), Buffer.alloc(65_536, 'x')],
]) {
  test(`${what} before the session begins`, async (t) => {
    const { message: text } = await flood(t, first, chunk)
    assert.equal(text, 'the server broke the PostgreSQL protocol: it says too much before the session begins')
  })
}

test('as much as a server with many parameters and notices says is taken', async (t) => {
  const fake = await startFakeServer((socket, { letter }) => {
    if (letter === null) socket.write(Buffer.concat([say.authenticationOk(), ...Array.from({ length: 10 }, () => notice), message('Z', Buffer.from('I'))]))
  })
  t.after(() => fake.close())
  const client = new ours.Client({ host: fake.host, port: fake.port, user: 'someone', database: 'some' })
  let notices = 0
  client.on('notice', () => notices++)
  await client.connect()
  assert.equal(notices, 10)
  await client.end()
})
