// The callback forms of a pool.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

compat('pool.connect(callback): arguments', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const seen = {}
  await new Promise((resolve) => {
    seen.returned = opened.connect((error, client, release, ...more) => {
      Object.assign(seen, { error, client, release: typeof release, length: release.length, more, sameRelease: client.release === release, totals: [opened.totalCount, opened.idleCount] })
      release()
      seen.after = [opened.totalCount, opened.idleCount]
      resolve()
    })
  })
  return seen
})
compat('pool.connect(callback): a second checkout', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const seen = []
  for (let i = 0; i < 2; i++) {
    await new Promise((resolve) => {
      opened.connect((error, client, release) => {
        seen.push([error, client, typeof release])
        release()
        resolve()
      })
      seen.push('called')
    })
  }
  return seen
})
compat('pool.connect(callback): failure', async ({ pool }) => {
  const opened = pool({ port: 1 })
  const seen = await new Promise((resolve) => {
    opened.connect((error, client, release, ...more) => resolve([error.code, client, typeof release, release(), release(), more]))
  })
  return [seen, opened.totalCount]
})
compat('pool.connect(callback) on an ended pool', async ({ pool, callback, capture }) => {
  const opened = pool()
  await opened.end()
  const done = callback()
  return [await capture(() => opened.connect(done)), await done.called]
})
compat('release in a callback, twice', async ({ pool, capture }) => {
  const opened = pool({ max: 1 })
  const results = await new Promise((resolve) => {
    opened.connect(async (error, client, release) => resolve([await capture(() => release()), await capture(() => release()), await capture(() => client.release())]))
  })
  return [results, opened.totalCount, opened.idleCount]
})
compat('release(error) in a callback', async ({ pool, until }) => {
  const opened = pool({ max: 1 })
  await new Promise((resolve) => {
    opened.connect((error, client, release) => {
      release(new Error('broken'))
      resolve()
    })
  })
  const now = [opened.totalCount, opened.idleCount]
  return [now, await opened.query('select 1 as a')]
})
compat('pool.query(text, callback)', async ({ pool, callback, capture }) => {
  const done = callback()
  const returned = await capture(() => pool().query('select 1 as a', done))
  await done.called
  return returned
})
compat('pool.query(text, values, callback)', async ({ pool, callback, capture }) => {
  const done = callback()
  const returned = await capture(() => pool().query('select $1::int as a', [1], done))
  await done.called
  return returned
})
compat('pool.query(config, callback)', async ({ pool, callback }) => {
  const done = callback()
  pool().query({ text: 'select $1::int as a', values: [1], rowMode: 'array' }, done)
  await done.called
})
compat('pool.query(config, values, callback) with an error', async ({ pool, callback }) => {
  const done = callback()
  pool().query({ text: 'select $1::int as a' }, ['x'], done)
  await done.called
})
compat('pool.query(callback) with a connection error', async ({ pool }) => {
  const args = await new Promise((resolve) => pool({ port: 1 }).query('select 1', (...given) => resolve(given)))
  return [args.length, args[0].code]
})
compat('pool.query(callback) on an ended pool', async ({ pool, callback }) => {
  const opened = pool()
  await opened.end()
  const done = callback()
  opened.query('select 1', done)
  await done.called
})
compat('the state of the pool inside a query callback', async ({ pool }) => {
  const opened = pool({ max: 1 })
  return new Promise((resolve) => opened.query('select 1', () => resolve([opened.totalCount, opened.idleCount, opened.waitingCount])))
})
compat('pool.end(callback)', async ({ pool, callback, capture }) => {
  const opened = pool()
  await opened.query('select 1')
  const done = callback()
  const returned = await capture(() => opened.end(done))
  const args = await done.called
  return { returned, args, ended: opened.ended, ending: opened.ending }
})
compat('pool.end(callback), twice', async ({ pool, callback, capture }) => {
  const opened = pool()
  await opened.query('select 1')
  const first = callback('first')
  const second = callback('second')
  opened.end(first)
  const returned = await capture(() => opened.end(second))
  await Promise.all([first.called, second.called])
  return returned
})
compat('pool.end(callback) of a pool that was never used', async ({ pool, callback }) => {
  const done = callback()
  pool().end(done)
  await done.called
})
compat('callbacks are never called before the call returns', async ({ pool, note, callback }) => {
  const opened = pool({ max: 1 })
  for (const [name, call] of [
    ['connect', (done) => opened.connect((error, client, release) => { release(); done() })],
    ['query', (done) => opened.query('select 1', () => done())],
    ['connect again', (done) => opened.connect((error, client, release) => { release(); done() })],
  ]) {
    await new Promise((resolve) => {
      call(() => { note(`${name} called`); resolve() })
      note(`${name} returned`)
    })
  }
})
compat('callbacks come in the order of their queries with max 1', async ({ pool, note }) => {
  const opened = pool({ max: 1 })
  await Promise.all(Array.from({ length: 8 }, (_, i) => new Promise((resolve) => opened.query(`select ${i} as n`, (error, { rows }) => { note(rows[0].n); resolve() }))))
})
compat('a callback that starts another query', async ({ pool, note }) => {
  const opened = pool({ max: 1 })
  await new Promise((resolve) => {
    opened.query('select 1 as a', (error, first) => {
      note('first', first.rows)
      opened.query('select 2 as a', (failed, second) => {
        note('second', second.rows)
        resolve()
      })
    })
  })
})
compat('an exception in a query callback leaves the pool usable', async ({ child }) =>
  child(async ({ pg, config, observe }) => {
    const pool = new pg.Pool({ ...config, max: 1 })
    const caught = new Promise((resolve) => process.once('uncaughtException', resolve))
    pool.query('select 1 as a', () => {
      throw new Error('thrown by a callback')
    })
    observe((await caught).message, [pool.totalCount, pool.idleCount, pool.waitingCount])
    observe((await pool.query('select 2 as a')).rows)
    await pool.end()
  }))
compat('client.query(callback) on a checked-out client', async ({ pool, callback }) => {
  const opened = pool({ max: 1 })
  const client = await opened.connect()
  const done = callback()
  const returned = client.query('select $1::int as a', [1], done)
  await done.called
  client.release()
  return { returned }
})
compat('client.connect(callback) and client.end(callback)', async ({ newClient, callback, capture }) => {
  const fresh = newClient()
  const connected = callback('connected')
  const returned = await capture(() => fresh.connect(connected))
  await connected.called
  const ended = callback('ended')
  const returnedByEnd = await capture(() => fresh.end(ended))
  await ended.called
  return { returned, returnedByEnd }
})
compat('client.connect(callback) with an error', async ({ newClient }) => {
  const fresh = newClient({ database: 'does_not_exist' })
  return new Promise((resolve) => fresh.connect((...args) => resolve(args)))
})
compat('a query that is running is answered before the pool has ended', async ({ pool }) => {
  const seen = []
  for (const text of ['select 1 as a', 'select 1 / 0']) {
    const opened = pool({ max: 1 })
    opened.query(text).then(({ rows }) => seen.push(rows), ({ code }) => seen.push(code))
    await opened.end()
    seen.push('ended')
  }
  return seen
})
compat('what is no query at all', async ({ pool }) => {
  const opened = pool({ max: 1 })
  const seen = []
  for (const wrong of [5, true, 123n, '']) {
    seen.push(await opened.query(wrong).then(({ rows }) => rows, ({ message }) => message))
  }
  return seen
})
compat('a pool as JSON', async ({ pg, config }) => Object.keys(JSON.parse(JSON.stringify(new pg.Pool(config)))).includes('password'))
