// The app: all its settings come from environment variables. Run by deployment.mjs, which it tells how it is doing.
import { randomInt } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLakebasePool } from 'lakebase-native'
import { Latencies } from './latencies.mjs'

const { seconds, callers, max, maxLifetimeSeconds } = JSON.parse(process.argv[2])
const REPORT_MILLIS = 200
const SETTLE_EVERY = 10
/** Customers come in waves, one after another; between two, only a few are there, and connections lie idle. */
const WAVE_MILLIS = 3_000
const QUIET_MILLIS = 1_000
const QUIET_CALLERS = 4
const STAGGER_MILLIS = 15

const pool = createLakebasePool({ max, maxLifetimeSeconds })
const latencies = new Latencies()
const failures = []
const done = { queries: 0, transactions: 0, written: 0, read: 0 }
// The server ends idle connections; without a listener the pool would log each.
pool.on('error', () => {})

await pool.query('create table orders (caller int, number int, cents int not null, at timestamptz default now(), primary key (caller, number))')
await pool.query('create table totals (caller int primary key, cents bigint not null default 0)')
await pool.query('insert into totals (caller) select * from generate_series(1, $1)', [callers])

const end = Date.now() + seconds * 1000
const reporter = setInterval(() => process.send({ progress: { ...done, failed: failures.length } }), REPORT_MILLIS)
await Promise.all(Array.from({ length: callers }, (_, index) => caller(index + 1)))
clearInterval(reporter)
process.send({ finished: true })
process.once('message', async ({ refreshes }) => {
  const summary = { ...done, failures, latencies: latencies.summary(refreshes), check: await check() }
  await pool.end()
  process.send({ summary }, () => process.disconnect())
})

/** One customer: orders, looks, and from time to time settles what is ordered, until the time is over. */
async function caller(number) {
  for (let turn = 0; Date.now() < end; turn++) {
    const cents = randomInt(1, 10_000)
    await measured(() => order(number, turn, cents))
    await measured(() => look(number))
    if (turn % SETTLE_EVERY === 0) await measured(() => settle(number))
    do await sleep(randomInt(10, 30))
    while (number > QUIET_CALLERS && (Date.now() + number * STAGGER_MILLIS) % WAVE_MILLIS < QUIET_MILLIS)
  }
  await measured(() => settle(number))
}

async function measured(work) {
  const began = latencies.now()
  try {
    await work()
    latencies.add(began)
  } catch (error) {
    failures.push(`${error.code ?? error.name}: ${error.message}`)
  }
}

async function order(number, turn, cents) {
  await pool.query('insert into orders (caller, number, cents) values ($1, $2, $3)', [number, turn, cents])
  done.queries++
  done.written++
}

async function look(number) {
  const { rows } = await pool.query('select number, cents, at from orders where caller = $1 order by number desc limit 20', [number])
  done.queries++
  done.read += rows.length
}

/** In one transaction: adds up the caller's orders, and writes the sum down. */
async function settle(number) {
  await pool.transaction(async (client) => {
    const { rows } = await client.query('select coalesce(sum(cents), 0) as cents from orders where caller = $1', [number])
    await client.query('update totals set cents = $1 where caller = $2', [rows[0].cents, number])
  })
  done.transactions++
}

/** What the database holds in the end: all orders, and totals that agree with them. */
async function check() {
  const { rows } = await pool.query(
    'select count(*)::int as orders, coalesce(sum(cents), 0) = (select sum(cents) from totals) as totals_agree from orders',
  )
  return rows[0]
}
