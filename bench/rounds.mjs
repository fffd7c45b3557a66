/** Runs one query scenario: a warm worker per driver, measured in turn, round after round. */

import { Child } from './child.mjs'
import { canonical, digest } from './digest.mjs'
import { driverNames } from './drivers/index.mjs'
import { startLink } from './link.mjs'
import { hold } from './resources.mjs'

/**
 * @typedef {object} Context
 * @property {import('./options.mjs').Options} options
 * @property {Map<string, string>} skipped drivers that cannot run, and why
 * @property {(text: string) => void} progress
 * @property {import('./postgres.mjs').Postgres | undefined} postgres
 *
 * @typedef {object} Member
 * @property {string} name
 * @property {Child} worker
 * @property {Record<string, number[]>} samples
 */

/** Connections of every driver's pool. */
const POOL_SIZE = 10

/** @type {import('./report.mjs').Column[]} */
const columns = [
  { key: 'latencyMicros', label: 'latency µs', spread: true, ratio: true },
  { key: 'p99Micros', label: 'p99 µs' },
  { key: 'perSecond', label: 'per second', spread: true, ratio: true },
  { key: 'activeMicros', label: 'JS thread µs', spread: true, ratio: true },
  { key: 'threadMicros', label: 'JS thread CPU µs' },
  { key: 'processMicros', label: 'process CPU µs' },
  { key: 'peakMegabytes', label: 'peak MB', ratio: true },
]

/**
 * @param {import('./scenarios/index.mjs').Scenario & { query: import('./scenarios/index.mjs').Query }} scenario
 * @param {import('./postgres.mjs').Postgres} postgres
 * @param {Context} context
 * @returns {Promise<import('./report.mjs').Section>}
 */
export async function compare({ name, title, notes = [], targets = [], drivers = driverNames, query }, { address, admin }, { options, skipped, progress }) {
  const link = query.linkMillis === undefined ? undefined : await startLink(query.linkMillis, address.port)
  const reached = link ? { ...address, port: link.port } : address

  const chosen = options.drivers.filter((driver) => drivers.includes(driver))
  /** @type {Member[]} */
  const members = chosen
    .filter((driver) => !skipped.has(driver))
    .map((driver) => ({ name: driver, worker: new Child('worker.mjs', [driver, name], { PGAPPNAME: `bench-${driver}` }), samples: {} }))
  const stopAll = hold(() => Promise.all(members.map(({ worker }) => worker.stop())))

  for (const { worker } of members) await worker.call('connect', { address: reached, max: POOL_SIZE })
  await checkEqualRows(members, query, admin)
  for (const { name: driver, worker } of members) {
    if (query.beforeRound) await admin.query(query.beforeRound)
    await worker.call('warmUp', { millis: options.warmUpSeconds * 1_000 })
    await checkSessions(driver, admin)
  }

  for (let round = 1; round <= options.runs; round++) {
    for (const { name: driver, worker, samples } of members) {
      if (query.beforeRound) await admin.query(query.beforeRound)
      const measured = await worker.call('measure', { settleMillis: options.settleSeconds * 1_000, millis: options.seconds * 1_000 })
      for (const [column, value] of Object.entries(measured)) {
        if (value !== null) (samples[column] ??= []).push(value)
      }
      progress(`${name} ${round}/${options.runs} ${driver} ${Math.round(measured.perSecond)}/s`)
    }
  }
  for (const { worker, samples } of members) samples.peakMegabytes = [(await worker.call('peakMemory')) / 1e6]
  await stopAll()
  await link?.stop()

  return {
    name,
    title,
    notes: [...notes, ...(link ? [link.note] : [])],
    columns: columns.filter(({ key }) => members.some(({ samples }) => key in samples)),
    drivers: chosen.map((driver) => ({
      name: driver,
      skipped: skipped.get(driver),
      samples: members.find((member) => member.name === driver)?.samples ?? {},
    })),
    base: 'pg',
    targets,
  }
}

/**
 * Throws unless all drivers return, or wrote, the same.
 * @param {Member[]} members
 * @param {import('./scenarios/index.mjs').Query} query
 * @param {import('pg').ClientBase} admin
 */
async function checkEqualRows(members, query, admin) {
  const results = []
  for (const member of members) {
    if (query.beforeRound) await admin.query(query.beforeRound)
    const returned = await member.worker.call('check')
    const written = query.readBack ? (await admin.query(query.readBack)).rows : []
    results.push({ ...member, written, fingerprint: `${returned} ${digest(written)}` })
  }
  const [first, ...others] = results
  const different = others.find(({ fingerprint }) => fingerprint !== first.fingerprint)
  if (!different) return
  const [expected, found] = await Promise.all(
    [first, different].map(async ({ worker, written }) => [...(await worker.call('describe')), ...written.map(canonical)]),
  )
  const longer = expected.length > found.length ? expected : found
  const row = longer.findIndex((_, index) => expected[index] !== found[index])
  throw new Error(`row ${row} differs:\n${first.name}: ${expected[row]}\n${different.name}: ${found[row]}`)
}

/**
 * Throws unless all sessions of the driver are encrypted and no more than its pool may have.
 * @param {string} driver
 * @param {import('pg').ClientBase} admin
 */
async function checkSessions(driver, admin) {
  const { rows } = await admin.query(
    `SELECT count(*)::int AS sessions, bool_and(ssl) AS encrypted
     FROM pg_stat_activity JOIN pg_stat_ssl USING (pid) WHERE application_name = $1`,
    [`bench-${driver}`],
  )
  const { sessions, encrypted } = rows[0]
  if (sessions === 0) throw new Error(`${driver} has no session named by PGAPPNAME`)
  if (sessions > POOL_SIZE) throw new Error(`${driver} holds ${sessions} connections, its pool may have ${POOL_SIZE}`)
  if (!encrypted) throw new Error(`${driver} speaks to PostgreSQL in the clear`)
}
