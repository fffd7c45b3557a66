// The same program on Drizzle's driver for node-postgres with `pg`, and on ours, for each version of Drizzle: what it shows is compared.
import assert from 'node:assert/strict'
import { describe } from 'node:test'
import { inspect } from 'node:util'
import pg from 'pg'
import { getToken } from 'lakebase-native'
import { deploy } from '../../support/deployment.mjs'
import { test } from '../../support/test.mjs'
import { versions } from './versions.mjs'

/**
 * @typedef {object} Programs
 * @property {string | ((title: string) => string)} [setup] SQL that prepares the empty schema before every program
 * @property {object} [config] Drizzle's configuration
 * @property {Record<string, (db, tools) => unknown>} run what each program shows, by its name. Those whose name begins with `error:` fail.
 */

/**
 * Runs the programs that `define` gives for a version of Drizzle.
 *
 * @param {(version: { name: string, orm, core, relations }) => Programs} define
 */
export function compare(define, names = Object.keys(versions)) {
  const app = deploy()
  for (const name of names) {
    describe(`drizzle-orm ${name}`, () => {
      const { drivers, ...version } = versions[name]
      const { setup = '', config, run } = define({ name, ...version })
      for (const [title, program] of Object.entries(run)) {
        test(title, async (t) => {
          const theirs = new pg.Pool({ ...app.address(), password: getToken, max: 2 })
          t.after(() => theirs.end())
          const clients = { theirs, ours: app.pool({ max: 2 }) }
          const shown = {}
          for (const [driver, client] of Object.entries(clients)) {
            await client.query(`drop schema if exists public cascade; drop schema if exists drizzle cascade; create schema public; ${typeof setup === 'function' ? setup(title) : setup}`)
            const lines = []
            const given = typeof config === 'function' ? config(lines) : config
            const db = drivers[driver].drizzle({ client, ...given })
            const tools = { ...drivers[driver], client, drizzle: (more) => drivers[driver].drizzle({ client, ...given, ...more }), lines }
            const outcome = await Promise.resolve()
              .then(() => program(db, tools))
              .then((value) => ({ value: show(value) }), (error) => ({ error: show(error), name: error.constructor.name, stack: error.stack }))
            shown[driver] = outcome
            assert.equal(Boolean(outcome.error), title.startsWith('error:'), outcome.stack ?? outcome.value)
            assert.ok(!/^(Type|Reference|Syntax|Assertion)Error$/.test(outcome.name), outcome.stack)
          }
          const { stack: _our, ...ours } = shown.ours
          const { stack: _their, ...expected } = shown.theirs
          assert.deepEqual(ours, expected)
        })
      }
    })
  }
}

/** Text that shows everything a caller could notice, but for what differs from run to run. */
function show(value) {
  return inspect(plain(value), { depth: Infinity, maxArrayLength: null, maxStringLength: null, breakLength: 120 })
}

const FIRST_USER_OID = 16384

/** Results and errors as plain objects: their classes are each driver's own. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null || value instanceof Date || Buffer.isBuffer(value)) return value
  if (value instanceof Error) {
    const { name, message, query, params, code, detail, hint, constraint, table, column, schema, severity, position } = value
    const cause = value.cause && plain(value.cause)
    const kind = value.constructor.name
    return { kind, name, message, query, params, code, detail, hint, constraint, table, column, schema, severity, position, cause }
  }
  if ('rows' in value && 'fields' in value) {
    const { command, rowCount, oid, rows, fields } = value
    return { command, rowCount, oid, rows: plain(rows), fields: fields.map((field) => plain({ ...field })) }
  }
  const prototype = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy = Object.create(prototype)
  for (const [name, member] of Object.entries(value)) copy[name] = /^(tableID|dataTypeID)$/.test(name) && member >= FIRST_USER_OID ? 'an OID' : plain(member)
  return copy
}
