// What goes on around the app: slow refreshes of its password, and idle connections that the server ends.
const CREDENTIALS = '/api/2.0/postgres/credentials'
/** The callers of app.mjs come in waves of this length, and all but a few are away at this point of each: a statement that the server has begun
 * cannot be saved from its session's end, so sessions are ended when nobody is about to use them. */
const WAVE_MILLIS = 3_000
const QUIET_MILLIS = 320

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
  let timer
  const wait = () => {
    const phase = Date.now() % WAVE_MILLIS
    timer = setTimeout(end, phase < QUIET_MILLIS ? QUIET_MILLIS - phase : WAVE_MILLIS + QUIET_MILLIS - phase)
  }
  const end = async () => {
    counts.ended += (await emulator.query(endIdle)).length
    wait()
  }
  wait()
  return {
    /** When a new password was being fetched: [from, to] in milliseconds since the epoch. */
    refreshes,
    counts,
    stop: () => clearTimeout(timer),
  }
}
