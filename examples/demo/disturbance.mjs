// What goes on around the app: slow refreshes of its password, and idle connections that the server ends.
const CREDENTIALS = '/api/2.0/postgres/credentials'
const END_IDLE_EVERY_MILLIS = 400

/** The server ends sessions that have been idle for a while, as PostgreSQL's idle_session_timeout or a suspended compute does. */
const endIdle = `select pg_terminate_backend(pid) from pg_stat_activity
  where backend_type = 'client backend' and state = 'idle' and state_change < now() - interval '300 ms'`

export function disturb(emulator, { refreshMillis }) {
  const refreshes = []
  const counts = { ended: 0 }
  emulator.faults.api({ kind: 'delay', path: CREDENTIALS, millis: refreshMillis })
  emulator.events.on('call', ({ path }) => {
    const now = Date.now()
    if (path === CREDENTIALS) refreshes.push([now - refreshMillis, now])
  })
  const timer = setInterval(async () => {
    counts.ended += (await emulator.query(endIdle)).length
  }, END_IDLE_EVERY_MILLIS)
  return {
    /** When a new password was being fetched: [from, to] in milliseconds since the epoch. */
    refreshes,
    counts,
    stop: () => clearInterval(timer),
  }
}
