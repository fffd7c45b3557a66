// The package at work, on this machine alone: tokens that live for seconds, a table, many callers, connections that come and go.
//   npm run demo [-- --seconds 20] [--token-seconds 4]
// Exits 0 only if every check at the end holds.

import { createLakebasePool } from 'lakebase-native'
import { startEmulator } from 'lakebase-native/emulator'
import { readArguments } from './arguments.mjs'
import { Meter } from './meter.mjs'
import { progress } from './progress.mjs'
import { work } from './work.mjs'

const { seconds, tokenSeconds } = readArguments()
const CALLERS = 64

console.log('Starting the emulator: a PostgreSQL behind TLS, and a workspace whose tokens live %d seconds.', tokenSeconds)
const emulator = await startEmulator({ tokenLifetimeMillis: tokenSeconds * 1000, accessTokenLifetimeMillis: tokenSeconds * 1000 })
// As a deployed app finds its settings.
Object.assign(process.env, emulator.env)
console.log('PostgreSQL %s. Settings come from %s.\n', emulator.postgresVersion, Object.keys(emulator.env).join(', '))

// A short life for connections: every few seconds each one is replaced, and the new one logs in with the token of that moment.
const pool = createLakebasePool({ max: 10, maxLifetimeSeconds: 3 })
const meter = new Meter(emulator)
let failure
try {
  await pool.query('create table reading (id bigserial primary key, sensor int not null, value numeric not null, at timestamptz not null default now())')
  const stopShowing = progress(meter, seconds)
  await work(pool, meter, { callers: CALLERS, seconds })
  stopShowing()
  meter.stored = (await pool.query('select count(*)::int as count from reading')).rows[0].count
} catch (error) {
  failure = error
}
await pool.end()
const held = meter.report({ seconds, tokenSeconds, callers: CALLERS })
await emulator.stop()
if (failure) console.error('\nThe demo itself failed:', failure)
process.exitCode = held && !failure ? 0 : 1
