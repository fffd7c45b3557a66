/**
 * What is measured. A scenario that sends queries is only described here; workers run it (rounds.mjs). Others bring their own `run`.
 *
 * @typedef {object} Query what every caller sends, and how many callers there are
 * @property {string} text
 * @property {(n: number) => unknown[]} values
 * @property {number} callers `1` measures the latency of each query, more measure throughput
 * @property {unknown[][]} check parameters whose results must be equal for all drivers before anything is timed
 * @property {string} [readBack] where the effect of `check` shows, when it is not in the results
 * @property {string} [beforeRound] SQL that puts the database into the same state for every driver
 * @property {(driver: string, pool: import('../drivers/index.mjs').Pool) => Promise<import('../drivers/index.mjs').Statement>} [prepare] another way to run it
 * @property {number} [linkMillis] round-trip time of a simulated link in front of PostgreSQL
 *
 * @typedef {object} Target a figure that issue 2 asks for: ours is `atLeast` or `atMost` so many times `against`, or so much in itself
 * @property {string} column
 * @property {string} [against]
 * @property {number} [atLeast]
 * @property {number} [atMost]
 * @property {string} [text] how to print the bound when a number does not say it well
 *
 * @typedef {object} Scenario
 * @property {string} name
 * @property {string} title
 * @property {string[]} [notes]
 * @property {Target[]} [targets]
 * @property {string[]} [drivers] the only ones that it is for
 * @property {boolean} [notQuick] left out of --quick unless it is named
 * @property {Query} [query]
 * @property {boolean} [needsPostgres] its own `run` finds PostgreSQL in the context
 * @property {(context: import('../rounds.mjs').Context) => Promise<import('../report.mjs').Section>} [run]
 */

import coldStart from './cold-start.mjs'
import drizzle from './drizzle.mjs'
import footprint from './footprint.mjs'
import idle from './idle.mjs'
import insert from './insert.mjs'
import latency from './latency.mjs'
import links from './link.mjs'
import point from './point.mjs'
import rows from './rows.mjs'
import stream from './stream.mjs'

/** @type {Scenario[]} */
export const scenarios = [latency, point, insert, ...rows, stream, ...drizzle, ...links, coldStart, idle, footprint]
