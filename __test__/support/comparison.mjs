// The same query on node-postgres and on ours.
import assert from 'node:assert/strict'
import pg from 'pg'
import { getToken } from 'lakebase-native'

/** Compares the answers to a query, or the errors; before each, `sql` prepares the database. */
export function comparison(app, sql = '') {
  return async (t, config, values) => {
    const ours = app.pool({ max: 1 })
    const theirs = new pg.Pool({ ...app.address(), password: getToken, max: 1 })
    t.after(() => theirs.end())
    const settle = async (pool) => {
      await app.emulator.query(sql)
      return pool.query(config, values).then(plain, (error) => ({ error: { ...error, message: error.message } }))
    }
    const [our, their] = [await settle(ours), await settle(theirs)]
    assert.deepEqual(comparable(our), comparable(their))
    return our
  }
}

/** No invalid date is deeply equal to another. */
function comparable(value) {
  if (value instanceof Date) return { date: String(value.getTime()) }
  if (Array.isArray(value)) return value.map(comparable)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, comparable(member)]))
}

/** A result without its class and what node-postgres keeps in it for itself. */
function plain(result) {
  if (Array.isArray(result)) return result.map(plain)
  const { command, rowCount, oid, rows, fields, rowAsArray } = result
  return { command, rowCount, oid, rows, fields: fields.map((field) => ({ ...field })), rowAsArray }
}
