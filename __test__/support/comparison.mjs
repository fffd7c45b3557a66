// The same query on node-postgres and on ours.
import assert from 'node:assert/strict'
import pg from 'pg'
import { getToken } from 'lakebase-native'

/** Both answers to a query, or both errors; ends what it opens with the test. */
export function comparison(app) {
  return async (t, config, values) => {
    const ours = app.pool({ max: 1 })
    const theirs = new pg.Pool({ ...app.address(), password: getToken, max: 1 })
    t.after(() => theirs.end())
    const settle = (pool) => pool.query(config, values).then(plain, (error) => ({ error: { ...error, message: error.message } }))
    const [our, their] = [await settle(ours), await settle(theirs)]
    assert.deepEqual(our, their)
    return our
  }
}

/** A result without its class and what node-postgres keeps in it for itself. */
function plain(result) {
  if (Array.isArray(result)) return result.map(plain)
  const { command, rowCount, oid, rows, fields, rowAsArray } = result
  return { command, rowCount, oid, rows, fields: fields.map((field) => ({ ...field })), rowAsArray }
}
