/**
 * Whatever has the shape of node-postgres' Pool.
 * @param {import('pg').Pool} pool
 * @returns {import('./index.mjs').Pool}
 */
export const fromPool = (pool) => ({
  statement: (text) => (values) => pool.query(text, values),
  rows: (result) => result.rows,
  client: pool,
  end: () => pool.end(),
})
