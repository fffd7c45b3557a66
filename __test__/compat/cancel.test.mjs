// Cancelling: from the server's side, and with Client#cancel.
import { suite } from './harness.mjs'

const { compat } = await suite(import.meta.url)

compat('pg_cancel_backend', async ({ client, admin, untilWaiting, capture }) => {
  const connected = await client()
  const running = capture(connected.query('select pg_sleep(10)'))
  await untilWaiting(1)
  await admin('select pg_cancel_backend($1)', [connected.processID])
  return [await running, await connected.query('select 1 as after')]
})
compat('pg_cancel_backend in a transaction', async ({ client, admin, untilWaiting, capture }) => {
  const connected = await client()
  await connected.query('begin')
  const running = capture(connected.query('select $1::int, pg_sleep(10)', [1]))
  await untilWaiting(1)
  await admin('select pg_cancel_backend($1)', [connected.processID])
  const outcome = await running
  const next = await capture(connected.query('select 1'))
  await connected.query('rollback')
  return { outcome, next }
})
compat('pg_cancel_backend of an idle connection does nothing', async ({ client, admin }) => {
  const connected = await client()
  await admin('select pg_cancel_backend($1)', [connected.processID])
  return connected.query('select 1 as after')
})
compat('pg_cancel_backend through a pool', async ({ pool, admin, untilWaiting, capture }) => {
  const opened = pool({ max: 1 })
  const running = capture(opened.query('select pg_sleep(10)'))
  await untilWaiting(1)
  await admin(`select pg_cancel_backend(pid) from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(10)'`)
  return [await running, await opened.query('select 1 as after')]
})
compat('Client#cancel of a running query', async ({ client, config, pg, untilWaiting, once, capture }) => {
  const connected = await client()
  const query = connected.query(new pg.Query('select pg_sleep(10)'))
  const failed = once(query, 'error')
  await untilWaiting(1)
  // pg never finishes `end` on a client that was used to cancel, so the harness is not told of it.
  const canceller = new pg.Client(config)
  canceller.on('error', () => {})
  const returned = await capture(() => canceller.cancel(connected, query))
  return { returned, error: await failed, after: await connected.query('select 1 as after') }
})
compat('Client#cancel of a queued query', async ({ client, newClient, pg, untilWaiting, note, watch, capture }) => {
  const connected = await client()
  const running = connected.query('select 1 as a, pg_sleep(0.05)')
  const queued = watch(connected.query(new pg.Query('select 2 as b')), 'queued', ['row', 'end', 'error'])
  const last = connected.query('select 3 as c')
  const returned = await capture(() => newClient().cancel(connected, queued))
  return { returned, running: (await running).rows, last: (await last).rows }
})
compat('Client#cancel of a finished query does nothing', async ({ client, newClient, pg, once, capture }) => {
  const connected = await client()
  const query = connected.query(new pg.Query('select 1 as a'))
  await once(query, 'end')
  return [await capture(() => newClient().cancel(connected, query)), await connected.query('select 2 as b')]
})
