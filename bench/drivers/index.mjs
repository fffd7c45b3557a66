/**
 * The drivers by name. Each lives in a module of its own that a worker imports alone, so that the memory of one driver is not
 * counted against another.
 *
 * @typedef {object} Address where PostgreSQL listens and how to log in; `ca` is the PEM certificate authority to verify it with
 * @property {string} host
 * @property {number} port
 * @property {string} user
 * @property {string} password
 * @property {string} database
 * @property {string} ca
 *
 * @typedef {(values: unknown[]) => Promise<unknown>} Statement
 *
 * @typedef {object} Pool
 * @property {(text: string) => Statement} statement the driver's own, idiomatic way to run one parameterized statement many times
 * @property {(result: any) => Record<string, unknown>[]} rows the rows of what a statement resolved to
 * @property {any} [client] node-postgres' pool, or one like it
 * @property {() => Promise<void>} end
 *
 * @typedef {object} Driver
 * @property {(address: Address, max: number) => Pool} open
 */

/** Idle connections must survive the other drivers' turns: pg's default of 10 s would make them reconnect in every round. */
export const IDLE_TIMEOUT_MILLIS = 600_000

/** What each driver installs from npm and how the report calls it. `pg-named` is measured only when it is asked for. */
const drivers = {
  ours: { package: 'lakebase-native', label: 'ours' },
  pg: { package: 'pg', label: 'pg' },
  'pg-named': { package: 'pg', label: 'pg (named statements)' },
  postgres: { package: 'postgres', label: 'postgres' },
  lakebase: { package: '@databricks/lakebase', label: '@databricks/lakebase' },
}

export const driverNames = Object.keys(drivers)
export const defaultDriverNames = driverNames.filter((name) => name !== 'pg-named')

/** @param {string} name */
const find = (name) => drivers[/** @type {keyof typeof drivers} */ (name)]

/** @param {string} name */
export const packageOf = (name) => find(name).package

/** @param {string} name */
export const labelOf = (name) => find(name).label

/**
 * @param {string} name
 * @returns {Promise<Driver>}
 */
export const loadDriver = (name) => import(`./${name}.mjs`)
