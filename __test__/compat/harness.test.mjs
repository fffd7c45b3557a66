// The harness itself: a subject that differs in any way a caller could notice is caught, and one that does not is not.
import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { after, test } from 'node:test'

import pg from 'pg'

import { judge, observe, Side } from './harness.mjs'
import { difference, Renderer } from './observation.mjs'
import { acquireServer } from './server.mjs'

const { server, release } = await acquireServer()
const oracle = await Side.open('oracle', 'pg', pg, server, 'harness')
after(async () => {
  await oracle.close()
  await release()
})

/** What a case reports when the subject is pg with this change. */
async function compared(run, change = () => {}) {
  class Client extends pg.Client {}
  const driver = { ...pg, Client }
  driver.Pool = class extends pg.Pool {
    constructor(options) {
      super({ Client, ...options })
    }
  }
  change(driver)
  const subject = new Side('subject', 'pg', driver, server, oracle.database, oracle.admin)
  return difference(await observe(oracle, { setup: 'create table t (a int)' }, run), await observe(subject, { setup: 'create table t (a int)' }, run))
}

/** Passes every answer of `query` through `alter`. */
const altering = (alter) => (driver) => {
  const { query } = driver.Client.prototype
  driver.Client.prototype.query = function (...args) {
    const answer = query.apply(this, args)
    return typeof answer?.then === 'function' ? answer.then((result) => alter(result) ?? result) : answer
  }
}
const failing = (alter) => (driver) => {
  const { query } = driver.Client.prototype
  driver.Client.prototype.query = function (...args) {
    return query.apply(this, args).catch((error) => {
      throw alter(error) ?? error
    })
  }
}
const select = async ({ client }) => (await client()).query(`select 1 as a, 'x' as b, null as c, 0.5::float8 as d, '2024-01-02'::date as e, '\\x00'::bytea as f, array[1] as g`)
const fails = async ({ client, capture }) => capture((await client()).query('select nope'))

test('harness › pg does not differ from itself', async () => {
  assert.equal(await compared(select), null)
  assert.equal(await compared(fails), null)
})

const caught = {
  'a value of another type': [select, altering(({ rows }) => void (rows[0].a = '1'))],
  'undefined for null': [select, altering(({ rows }) => void (rows[0].c = undefined))],
  'a text for a Date': [select, altering(({ rows }) => void (rows[0].e = rows[0].e.toISOString()))],
  'a Uint8Array for a Buffer': [select, altering(({ rows }) => void (rows[0].f = new Uint8Array(rows[0].f)))],
  'negative zero': [select, altering(({ rows }) => void (rows[0].d = -0))],
  'another order of keys': [select, altering(({ rows }) => void (rows[0] = Object.fromEntries(Object.entries(rows[0]).reverse())))],
  'rows without prototype': [select, altering(({ rows }) => void (rows[0] = Object.assign(Object.create(null), rows[0])))],
  'a missing key': [select, altering(({ rows }) => void delete rows[0].b)],
  'another command': [select, altering((result) => void (result.command = 'select'))],
  'another rowCount': [select, altering((result) => void (result.rowCount = null))],
  'a result of another class': [select, altering((result) => ({ ...result }))],
  'a field property': [select, altering(({ fields }) => void (fields[0].dataTypeSize = 8))],
  'a further property': [select, altering((result) => void (result.duration = 5))],
  'a property of an array': [select, altering(({ rows }) => void (rows[0].g.extra = true))],
  'another message': [fails, failing((error) => void (error.message += '.'))],
  'another code': [fails, failing((error) => void (error.code = '42P01'))],
  'a missing position': [fails, failing((error) => void (error.position = undefined))],
  'a plain Error': [fails, failing((error) => Object.assign(new Error(error.message), error))],
  'an error that is not thrown': [fails, (driver) => void (driver.Client.prototype.query = async () => new pg.Result())],
  'a synchronous error': [
    async ({ client, capture }) => {
      const connected = await client()
      return capture(() => connected.query(null))
    },
    (driver) => void (driver.Client.prototype.query = async () => { throw new TypeError('Client was passed a null or undefined query') }),
  ],
  'an event that does not come': [
    async ({ pool, watch }) => void (await watch(pool({ max: 1 }), 'pool', ['connect', 'acquire', 'release']).query('select 1')),
    (driver) => {
      const { Pool } = driver
      driver.Pool = class extends Pool {
        emit(event, ...args) {
          return event === 'acquire' ? true : super.emit(event, ...args)
        }
      }
    },
  ],
  'events in another order': [
    async ({ pool, watch, settle }) => {
      await watch(pool({ max: 1 }), 'pool', ['connect', 'acquire']).query('select 1')
      await settle()
    },
    (driver) => {
      const { Pool } = driver
      driver.Pool = class extends Pool {
        emit(event, ...args) {
          if (event === 'connect') setImmediate(() => super.emit(event, ...args))
          return event === 'connect' ? true : super.emit(event, ...args)
        }
      }
    },
  ],
  'an event with another argument': [
    async ({ pool, watch }) => void (await watch(pool({ max: 1 }), 'pool', ['release']).query('select 1')),
    (driver) => {
      const { Pool } = driver
      driver.Pool = class extends Pool {
        emit(event, error, ...args) {
          return super.emit(event, event === 'release' ? undefined : error, ...args)
        }
      }
    },
  ],
  'a counter': [
    async ({ pool }) => {
      const opened = pool({ max: 1 })
      await opened.query('select 1')
      return [opened.totalCount, opened.idleCount]
    },
    (driver) => {
      const { Pool } = driver
      driver.Pool = class extends Pool {
        get idleCount() {
          return 0
        }
      }
    },
  ],
  'a promise where there was none': [
    async ({ client, capture, callback }) => {
      const connected = await client()
      const done = callback()
      const returned = await capture(() => connected.query('select 1', done))
      await done.called
      return returned
    },
    (driver) => {
      const { query } = driver.Client.prototype
      driver.Client.prototype.query = function (...args) {
        query.apply(this, args)
        return Promise.resolve()
      }
    },
  ],
  'null for undefined in a callback': [
    async ({ pool, callback }) => {
      const done = callback()
      pool({ max: 1 }).query('select 1', done)
      await done.called
    },
    (driver) => {
      const { Pool } = driver
      driver.Pool = class extends Pool {
        query(text, callback) {
          return super.query(text, (error, result) => callback(error ?? null, result))
        }
      }
    },
  ],
  'a session that leaks state': [
    async ({ client }) => {
      await (await client()).query('insert into t values (1)')
      return (await client()).query('select count(*)::int from t')
    },
    (driver) => {
      const { query } = driver.Client.prototype
      driver.Client.prototype.query = function (text, ...rest) {
        return query.call(this, text.replace('values (1)', 'values (1), (2)'), ...rest)
      }
    },
  ],
  'a connection left open': [
    async ({ pg: driver, config, once }) => {
      const client = new driver.Client(config)
      await client.connect()
      client.on('error', () => {})
      await client.end()
    },
    (driver) => void (driver.Client.prototype.end = async () => {}),
  ],
}
for (const [name, [run, change]] of Object.entries(caught)) {
  test(`harness › catches ${name}`, async () => {
    const found = await compared(run, change)
    assert.ok(found, 'not caught')
    assert.match(found, /^[-+] /m)
  })
}
test('harness › catches a subject that throws where pg does not', async () => {
  const found = await compared(select, (driver) => void (driver.Client.prototype.query = () => { throw new Error('not implemented') }))
  assert.match(found, /not implemented/)
})
test('harness › a failure of a case on pg fails the case, it is not compared', async () => {
  await assert.rejects(compared(async () => { throw new Error('a mistake in the case') }), /a mistake in the case/)
})
test('harness › state does not leak from one case to the next', async () => {
  const setup = 'create schema other; create table other.x (a int); create table y (a int)'
  await observe(oracle, { setup }, async () => 1)
  assert.equal(await observe(oracle, { setup }, async ({ admin }) => (await admin('select count(*)::int as n from y')).rows[0].n), '0')
})
test('harness › a deliberate difference must differ, and is then accepted', () => {
  const listed = [{ case: 'a › b', why: 'on purpose' }, { case: /^c › /, why: 'on purpose' }]
  judge('a › b', '1', '2', listed)
  judge('c › anything', '1', '2', listed)
  assert.throws(() => judge('a › b', '1', '1', listed), /no longer differs/)
  assert.throws(() => judge('c › anything', '1', '1', listed), /no longer differs/)
  assert.throws(() => judge('d › e', '1', '2', listed), /differs from pg/)
  judge('d › e', '1', '1', listed)
})
test('harness › the rendering tells apart what JavaScript tells apart', () => {
  class Own {}
  const texts = [undefined, null, 0, -0, NaN, '', '0', 1n, 1, true, 'true', [], {}, Object.create(null), new Own(), [undefined], [,], [null], new Date(0), new Date(NaN), '1970-01-01T00:00:00.000Z', Buffer.alloc(0), new Uint8Array(), new Error('x'), new TypeError('x'), Object.assign(new Error('x'), { code: 1 }), new Error('x', { cause: 1 }), () => {}, (a) => a, Symbol('a'), { a: 1, b: 2 }, { b: 2, a: 1 }, { a: undefined }, new Map(), new Set(), new EventEmitter(), Promise.resolve()]
    .map((value) => new Renderer(pg).render(value))
  assert.equal(new Set(texts).size, texts.length)
})
test('harness › pids and OIDs are hidden, their identity is not', () => {
  const render = (value) => new Renderer(pg).render(value)
  assert.equal(render([{ pid: 5 }, { pid: 6 }]), render([{ pid: 8 }, { pid: 9 }]))
  assert.notEqual(render([{ pid: 5 }, { pid: 5 }]), render([{ pid: 8 }, { pid: 9 }]))
  assert.equal(render({ dataTypeID: 20001 }), render({ dataTypeID: 20002 }))
  assert.notEqual(render({ dataTypeID: 23 }), render({ dataTypeID: 20 }))
})
