// The differential harness: every case runs once on the oracle (pg) and once on the subject (ours), each against its own
// database of the same PostgreSQL, and the two observations must read the same.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import path from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'

import fc from 'fast-check'
import pg from 'pg'

import { differences } from './differences.mjs'
import { loadDriver, ORACLE, resolveDriver, SUBJECT } from './drivers.mjs'
import { startFakeServer } from './fake-server.mjs'
import { difference, Renderer } from './observation.mjs'
import { startProxy } from './proxy.mjs'
import { acquireServer } from './server.mjs'

/** A zone with daylight saving, so that nothing passes because local time happens to be UTC. */
process.env.TZ = process.env.COMPAT_TZ ?? 'America/New_York'
for (const name of Object.keys(process.env)) if (name.startsWith('PG')) delete process.env[name]

const HANG_MILLIS = Number(process.env.COMPAT_HANG_MILLIS ?? 45_000)
const CLEANUP_MILLIS = 3_000
/** For what certainly happens, on a slow machine later. */
const PATIENCE_MILLIS = 20_000
/** Property-based cases are repeatable: COMPAT_SEED changes the values, a failure prints the seed and the smallest case. */
const SEED = Number(process.env.COMPAT_SEED ?? 20_260_101)
const childProgram = path.join(path.dirname(fileURLToPath(import.meta.url)), 'child.mjs')

const pause = (millis) => new Promise((resolve) => setTimeout(resolve, millis))

/** The promise's value, or `late()` once this much time has passed. */
async function within(millis, promise, late) {
  let timer
  const bound = new Promise((resolve) => {
    timer = setTimeout(() => resolve(late()), millis)
  })
  try {
    return await Promise.race([promise, bound])
  } finally {
    clearTimeout(timer)
  }
}

const EMPTY = `
  do $$ declare name text; begin
    for name in select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
      execute format('drop schema %I cascade', name);
    end loop;
  end $$;
  create schema public;
  grant all on schema public to public;
  reset search_path`

/** One driver with its own database and an administrator who always speaks through pg. */
export class Side {
  static async open(role, specifier, driver, server, suffix) {
    // Both names have one length: PostgreSQL repeats the name in errors, and pg reports how long an error was.
    const database = `compat_${role.slice(0, 1)}_${suffix}`
    const creator = new pg.Client({ ...server, database: 'postgres' })
    await creator.connect()
    await creator.query(`create database ${database} template template0`)
    await creator.end()
    const admin = new pg.Client({ ...server, database, application_name: 'compat-admin' })
    await admin.connect()
    await admin.query('set client_min_messages = error')
    return new Side(role, specifier, driver, server, database, admin)
  }

  constructor(role, specifier, driver, server, database, admin) {
    Object.assign(this, { role, specifier, driver, server, database, admin })
    this.sharedClient = null
  }

  get config() {
    const { host, port, user } = this.server
    return { host, port, user, database: this.database }
  }

  /** Empties the database. */
  async reset(setup) {
    await this.admin.query(EMPTY)
    if (setup) await this.admin.query(setup)
  }

  /** A connection for cases that only read and leave no state behind. */
  async shared() {
    if (!this.sharedClient) {
      const client = new this.driver.Client({ ...this.config, application_name: 'compat-shared' })
      client.on('error', () => (this.sharedClient = null))
      await client.connect()
      this.sharedClient = client
    }
    return this.sharedClient
  }

  /** Waits until no connection of the case is left, ends those that stay, and says how many had to be ended. */
  async clearConnections() {
    const others = `from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and application_name <> 'compat-shared'`
    const deadline = Date.now() + PATIENCE_MILLIS
    for (let wait = 1; ; wait = Math.min(wait * 2, 20)) {
      const { rows } = await this.admin.query(`select count(*)::int as left ${others}`)
      if (rows[0].left === 0) return 0
      if (Date.now() > deadline) {
        await this.admin.query(`select pg_terminate_backend(pid, 5000) ${others}`)
        return rows[0].left
      }
      await pause(wait)
    }
  }

  async close() {
    await within(CLEANUP_MILLIS, this.sharedClient?.end(), () => {})
    await this.admin.end()
    const dropper = new pg.Client({ ...this.server, database: 'postgres' })
    await dropper.connect()
    await dropper.query(`drop database ${this.database} with (force)`)
    await dropper.end()
  }
}

/** What a case works with: one driver, its database, and means to watch both. */
class Context {
  #side
  #opened = []
  #labels = 0
  log = []
  masks = []

  constructor(side) {
    this.#side = side
    this.pg = side.driver
    this.server = side.server
    this.masks.push([side.database, '<database>'])
    // Cases take these apart: `({ client, note }) => …`.
    for (const name of Object.getOwnPropertyNames(Context.prototype)) {
      const { value } = Object.getOwnPropertyDescriptor(Context.prototype, name)
      if (typeof value === 'function' && name !== 'constructor') this[name] = value.bind(this)
    }
  }

  /** Connection settings, new ones at each call: drivers keep or change what they are given. */
  get config() {
    return this.#side.config
  }

  /** Prints `label` wherever `text` would appear. */
  mask(text, label) {
    this.masks.push([String(text), label])
    return text
  }

  newClient(overrides = {}) {
    return this.track(new this.pg.Client({ ...this.config, ...overrides }))
  }

  async client(overrides) {
    const client = this.newClient(overrides)
    await client.connect()
    return client
  }

  pool(overrides = {}) {
    return this.track(new this.pg.Pool({ ...this.config, ...overrides }))
  }

  /** Makes the harness end it after the case: a client, a pool, or anything with `end` or `close`. */
  track(opened) {
    this.#opened.push(opened)
    return opened
  }

  admin(text, values) {
    return this.#side.admin.query(text, values)
  }

  async proxy() {
    return this.track(await startProxy(this.server, (port) => this.mask(port, '<port>')))
  }

  async fakeServer(script) {
    const fake = this.track(await startFakeServer(script))
    this.mask(fake.port, '<port>')
    return fake
  }

  /** How an action ended: `returned`, `threw`, `resolved` or `rejected`, with what. */
  async capture(action) {
    let value
    try {
      value = typeof action === 'function' ? action() : action
    } catch (error) {
      return { threw: error }
    }
    if (typeof value?.then !== 'function') return { returned: value }
    return value.then((resolved) => ({ resolved }), (rejected) => ({ rejected }))
  }

  note(...entry) {
    this.log.push(entry.length === 1 ? entry[0] : entry)
  }

  /** Logs these events with their arguments. */
  watch(emitter, label, events) {
    for (const event of events) emitter.on(event, (...args) => this.note(`${label} ${event}`, ...args))
    return emitter
  }

  /** A callback that logs its arguments, and a promise of them. */
  callback(label = `callback ${++this.#labels}`) {
    let arrived
    const called = new Promise((resolve) => (arrived = resolve))
    const callback = (...args) => {
      this.note(label, ...args)
      arrived(args)
    }
    return Object.assign(callback, { called })
  }

  once(emitter, event) {
    return new Promise((resolve) => emitter.once(event, (...args) => resolve(args)))
  }

  /** Lets everything that is due happen: pending callbacks, promises, and `turns` turns of the event loop. */
  async settle(turns = 3) {
    for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
  }

  /** Waits for a condition that nothing announces. */
  async until(condition) {
    while (!(await condition())) await pause(2)
  }

  /** Waits until this many backends of the case run a statement that waits (for a lock, or in pg_sleep). */
  untilWaiting(count) {
    return this.until(async () => {
      const { rows } = await this.admin(
        `select count(*)::int as n from pg_stat_activity where datname = current_database()
         and state = 'active' and wait_event_type in ('Lock', 'Timeout')`,
      )
      return rows[0].n === count
    })
  }

  /** Runs `body` in a new process that has its own copy of the driver; it must not refer to anything outside itself. */
  async child(body, { env = {}, args = [], execArgv = [], config = this.config, cwd } = {}) {
    const child = spawn(process.execPath, [...execArgv, childProgram], {
      cwd,
      env: {
        PATH: process.env.PATH,
        TZ: process.env.TZ,
        HOME: '/nonexistent',
        ...env,
        COMPAT_CHILD: JSON.stringify({ driver: resolveDriver(this.#side.specifier), config, args, body: String(body) }),
      },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    })
    const text = ['', '', '', '']
    for (const fd of [1, 2, 3]) child.stdio[fd].setEncoding('utf8').on('data', (chunk) => (text[fd] += chunk))
    const [code, signal] = await once(child, 'close')
    const complaints = /^\(node:|^\(Use|^[A-Za-z]*Error\b|^error:|^Warning!|^You supplied|^This can cause/
    return {
      code,
      signal,
      observed: text[3].split('\n'),
      stdout: text[1].split('\n'),
      stderr: text[2].replaceAll(/\(node:\d+\)/g, '(node:<pid>)').split('\n').filter((line) => complaints.test(line)),
    }
  }

  /** Ends what the case left open; a driver that cannot even end is cut off. */
  async close() {
    const ends = this.#opened.map(async (opened) => {
      opened.on?.('error', () => {})
      if (opened.ending) return
      try {
        await (opened.end ? opened.end() : opened.close())
      } catch {
        // Ending twice, or ending what never connected, is the case's business.
      }
    })
    await within(CLEANUP_MILLIS, Promise.all(ends), () => {})
  }
}

/** Runs a case on one side and returns what it showed, as text. */
export async function observe(side, { setup, leavesConnections = false } = {}, run) {
  await side.reset(setup)
  const context = new Context(side)
  const seen = Promise.resolve(run(context)).then(
    (value) => (context.log.length > 0 ? { log: context.log, value } : value),
    (error) => ({ caseFailed: error }),
  )
  const observation = await within(HANG_MILLIS, seen, () => ({ hangs: true, log: context.log }))
  const text = new Renderer(side.driver, context.masks).render(observation)
  await context.close()
  const left = await side.clearConnections()
  if (observation?.caseFailed && side.role === 'oracle') throw observation.caseFailed
  if (observation?.hangs && side.role === 'oracle') throw new Error(`the case hangs on ${side.specifier}:\n${text}`)
  if (left > 0 && side.role === 'oracle' && !leavesConnections) throw new Error(`the case leaves ${left} connections open on ${side.specifier}`)
  return left > 0 && !leavesConnections ? `${text}\nleaves ${left} connections open` : text
}

/** Fails unless both read the same; the other way round for a deliberate difference. */
export function judge(name, expected, actual, known = differences) {
  // Standard output belongs to the test runner.
  if (process.env.COMPAT_PRINT) console.error(`── ${name}\n${expected}`)
  const found = difference(expected, actual)
  const entry = known.find(({ case: which }) => (typeof which === 'string' ? which === name : which.test(name)))
  if (entry) {
    assert.ok(found, `"${name}" is listed in differences.mjs (${entry.why}) but no longer differs: remove the entry`)
    return
  }
  if (found) {
    const failure = new Error(`${SUBJECT} differs from pg in "${name}"\n(- pg, + ${SUBJECT})\n${found}`)
    failure.stack = failure.message
    throw failure
  }
}

/**
 * Opens the server and both sides for one test file. All functions it returns define node:test tests:
 * - `compat(name, options?, run)`: `run(context)` returns an observation; `options.setup` is SQL run before it.
 * - `query(name, text | config, values?)`: one query on a shared connection; the whole result or error is compared.
 * - `property(name, arbitrary, run, options?)`: `run(client, value, context)` on a shared connection, for random values.
 */
export async function suite(url) {
  const file = path.basename(fileURLToPath(url), '.test.mjs')
  const { server, release } = await acquireServer()
  const suffix = randomBytes(5).toString('hex')
  const oracle = await Side.open('oracle', ORACLE, loadDriver(ORACLE), server, suffix)
  const subject = await Side.open('subject', SUBJECT, loadDriver(SUBJECT), server, suffix)
  after(async () => {
    await Promise.all([oracle.close(), subject.close()])
    await release()
    // Runs only if something else still holds the process: then the file fails instead of hanging.
    setTimeout(() => {
      console.error(`${file}: everything is over, but ${process.getActiveResourcesInfo().join(', ')} hold the process`)
      process.exit(1)
    }, PATIENCE_MILLIS).unref()
  })
  const { rows } = await oracle.admin.query(`select current_setting('server_version_num')::int / 10000 as major`)

  function compat(name, options, run = options) {
    test(`${file} › ${name}`, { timeout: 4 * HANG_MILLIS }, async () => {
      const expected = await observe(oracle, run === options ? {} : options, run)
      const actual = await observe(subject, run === options ? {} : options, run)
      judge(`${file} › ${name}`, expected, actual)
    })
  }

  /** Runs on the shared connection of one side, for cases that leave no state behind. */
  async function onShared(side, run) {
    const client = await side.shared()
    const observation = await within(HANG_MILLIS, run(client, side.driver), () => {
      side.sharedClient = null
      return { hangs: true }
    })
    if (observation?.hangs && side.role === 'oracle') throw new Error('the case hangs on pg')
    return new Renderer(side.driver, [[side.database, '<database>']]).render(observation)
  }

  const ended = (promise) => promise.then((resolved) => ({ resolved }), (rejected) => ({ rejected }))

  /** Both forms a query can take are functions here, so that each side gets its own config object. */
  function query(name, config, values) {
    const fresh = typeof config === 'function' ? config : () => config
    test(`${file} › ${name}`, { timeout: 4 * HANG_MILLIS }, async () => {
      const run = (client, driver) => ended(client.query(fresh(driver), values))
      judge(`${file} › ${name}`, await onShared(oracle, run), await onShared(subject, run))
    })
  }

  function property(name, arbitrary, run, { numRuns = 40, setup, leastAnswered = 0.8 } = {}) {
    test(`${file} › ${name}`, { timeout: 8 * HANG_MILLIS }, async () => {
      if (setup) for (const side of [oracle, subject]) await side.reset(setup)
      let answered = 0
      const onBoth = fc.asyncProperty(arbitrary, async (value) => {
        const observed = (client, driver) => ended(Promise.resolve().then(() => run(client, value, driver)))
        const expected = await onShared(oracle, observed)
        if (expected.startsWith('{\n  "resolved"')) answered++
        judge(`${file} › ${name}`, expected, await onShared(subject, observed))
      })
      await fc.assert(onBoth, { seed: SEED, numRuns, endOnFailure: false })
      // Values that PostgreSQL refuses would all look the same.
      assert.ok(answered >= numRuns * leastAnswered, `only ${answered} of ${numRuns} values were accepted by the server`)
    })
  }

  /** Like `property`, with a context of its own for each value: for runs that open pools or change state. */
  function statefulProperty(name, arbitrary, run, { numRuns = 10, setup } = {}) {
    test(`${file} › ${name}`, { timeout: 8 * HANG_MILLIS }, async () => {
      const onBoth = fc.asyncProperty(arbitrary, async (value) => {
        const onOne = (side) => observe(side, { setup }, (context) => run(context, value))
        judge(`${file} › ${name}`, await onOne(oracle), await onOne(subject))
      })
      await fc.assert(onBoth, { seed: SEED, numRuns, endOnFailure: true })
    })
  }

  return { compat, query, property, statefulProperty, server, major: rows[0].major, oracle }
}

/** True when this PostgreSQL offers the extension. */
export async function hasExtension(oracle, name) {
  const { rows } = await oracle.admin.query('select 1 from pg_available_extensions where name = $1', [name])
  return rows.length > 0
}

