// Results larger than JavaScript's longest string: what does not need to be one string is given, what does is an error of its query.
import assert from 'node:assert/strict'
import { constants } from 'node:buffer'
import { message, say, startFakeServer } from '../compat/fake-server.mjs'
import { run } from '../support/child.mjs'
import { test } from '../support/test.mjs'

const MEBIBYTE = 1 << 20
const ROWS = Math.ceil(constants.MAX_STRING_LENGTH / MEBIBYTE) + 1

/** The header of a DataRow with one cell of so many bytes, which are to follow. */
function rowHeader(bytes) {
  const header = Buffer.from('D....\0\x01....')
  header.writeUInt32BE(bytes + 10, 1)
  header.writeInt32BE(bytes, 7)
  return header
}

/** A server whose answers are made of pieces, written one after another as fast as they are taken. */
async function serve(t, answers) {
  const fake = await startFakeServer((socket, { letter, body }) => {
    if (letter === null) return socket.write(say.welcome())
    if (letter !== 'Q') return
    const pieces = answers[body.toString('latin1', 0, body.length - 1)]()
    const pour = () => {
      const { value } = pieces.next()
      if (value) socket.write(value, (error) => error || pour())
    }
    pour()
  })
  t.after(() => fake.close())
  return { host: fake.host, port: fake.port, user: 'someone', database: 'some' }
}

function* values(type, count, bytes, piece) {
  yield say.rowDescription([{ name: 'value', type }])
  for (let row = 0; row < count; row++) {
    yield rowHeader(bytes)
    for (let sent = 0; sent < bytes; sent += piece.length) yield piece.subarray(0, Math.min(piece.length, bytes - sent))
  }
  yield Buffer.concat([say.commandComplete(`SELECT ${count}`), say.ready()])
}

test('JSON values that are longer together, and a text that is longer alone', { timeout: 120_000 }, async (t) => {
  const json = Buffer.alloc(MEBIBYTE, 'x')
  json[0] = json[MEBIBYTE - 1] = 0x22
  const options = await serve(t, {
    json: () => values(114, ROWS, MEBIBYTE, json),
    text: () => values(25, 1, constants.MAX_STRING_LENGTH + 1, Buffer.alloc(MEBIBYTE, 'x')),
    small: () => [message('T', Buffer.from('\0\x01a\0'), Buffer.alloc(18)), say.dataRow(['1']), say.commandComplete('SELECT 1'), say.ready()].values(),
  })
  const main = async (config) => {
    const { Pool } = (await import('lakebase-native/pg')).default
    const { createLakebasePool, ResultError } = await import('lakebase-native')
    const pool = createLakebasePool({ ...config, password: 'x', sslMode: 'disable', max: 1 })
    const text = pool.query('text').then(() => 'a result', (error) => [error instanceof ResultError, error.code])
    const neighbour = pool.query('small').then(({ rows }) => rows)
    const likePg = new Pool({ ...config, max: 1 })
    const first = [await text, await neighbour]
    const { rows } = await likePg.query('json')
    const lengths = [...new Set(rows.map(({ value }) => value.length))]
    console.log(JSON.stringify([...first, rows.length, lengths]))
    await Promise.all([pool.end(), likePg.end()])
    console.log(Math.round(process.resourceUsage().maxRSS / 1024))
  }
  const { code, stdout, stderr } = await run(main, { args: [options] })
  assert.deepEqual([code, stderr], [0, ''])
  const [outcome, memory] = stdout.trim().split('\n').map((line) => JSON.parse(line))
  assert.deepEqual(outcome, [[true, 'RESULT_TOO_LARGE'], [{ a: '1' }], ROWS, [MEBIBYTE - 2]])
  t.diagnostic(`${memory} MiB`)
  assert.ok(memory < 2_500, `${memory} MiB`)
})
