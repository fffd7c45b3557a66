// pg-copy-streams, unmodified, on clients of createLakebasePool(): large copies in bounded memory; whatever breaks, nothing hangs.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import copyStreams from 'pg-copy-streams'
import { run } from '../support/child.mjs'
import { deploy } from '../support/deployment.mjs'
import { failureOf, until } from '../support/outcome.mjs'
import { test } from '../support/test.mjs'

const { from, to } = copyStreams
const ROWS = 200_000
/** 100 bytes each. */
const wide = `copy (select g, repeat('x', 92) from generate_series(100000, ${99_999 + ROWS}) g) to stdout`

const app = deploy({
  sql: `create table target (a int, b text);
    create table gated (a int, b text);
    create function wait_at_gate() returns trigger language plpgsql as $$ begin perform pg_advisory_xact_lock(1); return new; end $$;
    create trigger gate before insert on gated for each row execute function wait_at_gate()`,
})

function lines(count, begin = 0) {
  return Readable.from(
    (function* () {
      for (let i = begin; i < begin + count; i += 100) yield Array.from({ length: 100 }, (_, k) => `${i + k}\t${'x'.repeat(90)}\n`).join('')
    })(),
  )
}

async function countOf(pool, table = 'target') {
  return (await pool.query(`select count(*)::int as n from ${table}`)).rows[0].n
}

/** A pool of one connection, on which `use` gets the client; the pool must still be of use afterwards, with another connection if `lost`. */
async function withClient(use, { lost = false } = {}) {
  const pool = app.pool({ max: 1 })
  pool.on('error', () => {})
  await pool.query('truncate target')
  const client = await pool.connect()
  client.on('error', () => {})
  const { processID } = client
  await use(client)
  client.release()
  const { rows } = await pool.query('select pg_backend_pid() as pid')
  assert.equal(rows[0].pid !== processID, lost)
  return pool
}

test('to: many rows, and the client is usable', () =>
  withClient(async (client) => {
    let bytes = 0
    const stream = client.query(to(wide))
    for await (const chunk of stream) bytes += chunk.length
    assert.equal(bytes, ROWS * 100)
    assert.equal(stream.rowCount, ROWS)
  }))

test('from: many rows, and the client is usable', async () => {
  const pool = await withClient(async (client) => {
    const stream = client.query(from('copy target from stdin'))
    await pipeline(lines(ROWS), stream)
    assert.equal(stream.rowCount, ROWS)
  })
  assert.equal(await countOf(pool), ROWS)
})

test('from one client to another', async () => {
  const pool = app.pool({ max: 2 })
  await pool.query('truncate target')
  const [source, sink] = [await pool.connect(), await pool.connect()]
  await pipeline(source.query(to(wide)), sink.query(from('copy target from stdin')))
  source.release()
  sink.release()
  assert.equal(await countOf(pool), ROWS)
})

test('from: a source that fails midway leaves nothing behind', async () => {
  const pool = await withClient(async (client) => {
    const source = Readable.from(
      (async function* () {
        yield* lines(10_000)
        throw new Error('the source broke')
      })(),
    )
    const error = await failureOf(pipeline(source, client.query(from('copy target from stdin'))))
    assert.equal(error.message, 'the source broke')
  })
  assert.equal(await countOf(pool), 0)
})

test('from: destroyed midway', async () => {
  const pool = await withClient(async (client) => {
    const stream = client.query(from('copy target from stdin'))
    for await (const chunk of lines(10_000)) stream.write(chunk)
    stream.destroy()
    const [error] = await once(stream, 'error')
    assert.equal(error.code, '57014')
  })
  assert.equal(await countOf(pool), 0)
})

test('to: destroyed midway, the client is given back as broken', async () => {
  const pool = app.pool({ max: 1 })
  const client = await pool.connect()
  client.on('error', () => {})
  const stream = client.query(to(wide))
  for await (const _ of stream) break
  assert.ok(stream.destroyed)
  client.release(true)
  assert.equal((await pool.query('select 1 as a')).rows[0].a, 1)
  await pool.end()
})

test('to: destroyed midway and given back as if nothing had happened, the pool goes on', async () => {
  const pool = app.pool({ max: 1, connectionTimeoutMillis: 5_000 })
  const client = await pool.connect()
  client.on('error', () => {})
  for await (const _ of client.query(to(wide))) break
  client.release()
  assert.equal((await pool.query('select 1 as a')).rows[0].a, 1)
  await pool.end()
})

test('to: a connection lost midway', () =>
  withClient(
    async (client) => {
      const stream = client.query(to(`copy (select g, repeat('x', 92), pg_sleep(0.001) from generate_series(1, ${ROWS}) g) to stdout`))
      const failed = failureOf(pipeline(stream, new Writable({ write: (_chunk, _encoding, done) => done() })))
      await once(stream, 'data')
      await app.emulator.terminateConnections()
      assert.match((await failed).message, /terminat/)
    },
    { lost: true },
  ))

test('to: a connection lost while nobody reads', async () => {
  const pool = app.pool({ max: 1 })
  pool.on('error', () => {})
  const client = await pool.connect()
  client.on('error', () => {})
  const stream = client.query(to(wide))
  await once(stream, 'readable')
  await app.emulator.terminateConnections()
  const error = await failureOf(pipeline(stream, new Writable({ write: (_chunk, _encoding, done) => done() })))
  assert.match(error.message, /terminat/)
  client.release()
  assert.equal((await pool.query('select 1 as a')).rows[0].a, 1)
})

test('to: a connection lost while nobody reads, or ever will', async () => {
  const pool = app.pool({ max: 1, connectionTimeoutMillis: 5_000 })
  pool.on('error', () => {})
  const client = await pool.connect()
  client.on('error', () => {})
  const stream = client.query(to(wide))
  stream.on('error', () => {})
  await once(stream, 'readable')
  await app.emulator.terminateConnections()
  client.release(true)
  assert.equal((await pool.query('select 1 as a')).rows[0].a, 1)
  await pool.end()
})

test('from: a connection lost midway', () =>
  withClient(
    async (client) => {
      const source = Readable.from(
        (async function* () {
          yield* lines(1_000)
          await app.emulator.terminateConnections()
          for (;;) yield* lines(100)
        })(),
      )
      const error = await failureOf(pipeline(source, client.query(from('copy target from stdin'))))
      assert.match(error.message, /terminat/)
    },
    { lost: true },
  ))

test('from: a connection lost while it waits for data', () =>
  withClient(
    async (client) => {
      const stream = client.query(from('copy target from stdin'))
      const failed = once(stream, 'error')
      await new Promise((resolve) => stream.write('1\tone\n', resolve))
      await app.emulator.terminateConnections()
      assert.match((await failed)[0].message, /terminat/)
    },
    { lost: true },
  ))

test('to: a reader that stops holds the server up', () =>
  withClient(async (client) => {
    const watch = app.pool({ max: 1 })
    const stream = client.query(to(`copy (select g, repeat('x', 1000) from generate_series(1, ${ROWS}) g) to stdout`))
    let bytes = 0
    stream.on('data', (chunk) => (bytes += chunk.length))
    await once(stream, 'data')
    stream.pause()
    const waits = 'select wait_event from pg_stat_activity where pid = $1'
    await until(async () => (await watch.query(waits, [client.processID])).rows[0].wait_event === 'ClientWrite')
    assert.ok(bytes < 50_000_000, `${bytes} bytes were read by somebody who stopped`)
    stream.resume()
    await once(stream, 'end')
    assert.ok(bytes > ROWS * 1_000)
  }))

test('from: a server that does not read holds the writer up', async () => {
  const gate = await app.pool({ max: 1 }).connect()
  await gate.query('select pg_advisory_lock(1)')
  const pool = await withClient(async (client) => {
    const stream = client.query(from('copy gated from stdin'))
    let taken = 0
    const source = Readable.from(
      (function* () {
        for (let i = 0; i < 1_000; i++) {
          taken++
          yield `1\t${'x'.repeat(99_990)}\n`
        }
      })(),
    )
    const done = pipeline(source, stream)
    const blocked = `select count(*)::int as n from pg_stat_activity where pid = $1 and wait_event = 'advisory'`
    await until(async () => (await gate.query(blocked, [client.processID])).rows[0].n === 1)
    // Until nothing moves any more.
    for (let before = -1; before !== taken; ) {
      before = taken
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    assert.ok(taken < 500, `${taken} of 1000 chunks were taken by a server that read none`)
    await gate.query('select pg_advisory_unlock(1)')
    await done
    assert.equal(stream.rowCount, 1_000)
  })
  gate.release()
  assert.equal(await countOf(pool, 'gated'), 1_000)
})

test('memory is that of the windows, not of the data', async () => {
  const { stdout, stderr, code } = await run(
    async (rows) => {
      const { Readable, Writable } = await import('node:stream')
      const { pipeline } = await import('node:stream/promises')
      const { from, to } = (await import('pg-copy-streams')).default
      const { createLakebasePool } = await import('lakebase-native')
      const pool = createLakebasePool({ max: 1 })
      const client = await pool.connect()
      const chunk = `${`1\t${'x'.repeat(997)}\n`.repeat(100)}`
      const there = async (count) => {
        const source = Readable.from((function* () { for (let i = 0; i < count; i += 100) yield chunk })())
        await pipeline(source, client.query(from('copy target from stdin')))
      }
      const back = (count) =>
        pipeline(
          client.query(to(`copy (select 1, repeat('x', 997) from generate_series(1, ${count})) to stdout`)),
          new Writable({ write: (_chunk, _encoding, done) => setImmediate(done) }),
        )
      await client.query('create temp table target (a int, b text)')
      await there(10_000)
      await back(10_000)
      const before = process.memoryUsage().rss
      let peak = before
      const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 5)
      await there(rows)
      await client.query('truncate target')
      await back(rows)
      clearInterval(timer)
      client.release()
      await pool.end()
      process.stdout.write(String(Math.round((peak - before) / 1e6)))
    },
    { args: [150_000] },
  )
  assert.equal(code, 0, stderr)
  assert.ok(Number(stdout) < 75, `${stdout} MB for 150 MB each way`)
})
