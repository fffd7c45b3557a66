// Writes of which the database keeps a ledger: how often did each call run, whatever was cut or killed meanwhile?
import pg from 'pg'
import { createLakebasePool } from 'lakebase-native'
import ours from 'lakebase-native/pg'

/** What is put to the test, and node-postgres, which holds whatever may be demanded. */
export const drivers = {
  pg: (options) => new pg.Pool(options),
  'lakebase-native/pg': (options) => new ours.Pool(options),
  createLakebasePool: (options) => createLakebasePool({ password: 'unused', ...options, ssl: false }),
}

const UNANSWERED_MILLIS = 20_000

export const SCHEMA = `
  create table ledger (call text not null);
  create function record(call text) returns text language sql volatile as 'insert into ledger values (call) returning call'`

/** Reads the ledger; ends backends. Always by node-postgres, always on a way that nobody cuts. */
export class Auditor {
  static async open(server, database) {
    const client = new pg.Client({ host: '127.0.0.1', port: server.port, user: 'postgres', password: server.password, database })
    await client.connect()
    return new Auditor(client)
  }

  constructor(client) {
    this.client = client
  }

  /** Waits until no other backend is at work. */
  async quiet() {
    for (;;) {
      const { rows } = await this.client.query(
        `select count(*)::int as busy from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend' and state <> 'idle'`,
      )
      if (rows[0].busy === 0) return
    }
  }

  /** Ends all other backends, and waits for it. */
  async terminate() {
    await this.client.query(
      `select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
    )
  }

  /** How often each call of a run is in the ledger. A pooler may still carry out what an earlier run has sent. */
  async counts(run) {
    await this.quiet()
    const { rows } = await this.client.query("select split_part(call, ': ', 2) as call, count(*)::int as times from ledger where call like $1 group by 1", [`${run}: %`])
    return new Map(rows.map(({ call, times }) => [call, times]))
  }

  close() {
    return this.client.end()
  }
}

/** An outcome, `answered` or an error; `unanswered` after a time that no call may take. */
async function outcome(promise) {
  let timer
  const late = new Promise((resolve) => {
    timer = setTimeout(() => resolve('unanswered'), UNANSWERED_MILLIS)
  })
  try {
    return await Promise.race([promise.then(() => 'answered', (error) => error), late])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * All ways in which a pool writes, first on a new connection, then with what it has learned; resolves with each call's outcome. The ledger's calls are
 * those of this `run`. Once `restored()` has resolved, the pool must be of use.
 */
export async function writeLedger(pool, run, restored = async () => {}) {
  const outcomes = new Map()
  const call = async (name, ask) => {
    outcomes.set(name, await outcome(Promise.resolve().then(() => ask(`${run}: ${name}`))))
  }
  const insert = (name) => pool.query('insert into ledger values ($1)', [name])
  const read = (name) => pool.query('select $1::text as name', [name])
  const transaction = async (name) => {
    const client = await pool.connect()
    // A client that is checked out says so itself when it is lost.
    client.on('error', () => {})
    let lost
    try {
      await client.query('begin')
      await client.query('insert into ledger values ($1)', [name])
      await client.query('commit')
    } catch (error) {
      lost = error
      throw error
    } finally {
      client.release(lost)
    }
  }
  pool.on('error', () => {})
  await call('first', insert)
  await call('again', insert)
  await Promise.all([call('read 1', read), call('insert 1', insert), call('insert 2', insert), call('insert 3', insert), call('read 2', read)])
  await call('without values', (name) => pool.query(`insert into ledger values ('${name}')`))
  await call('function', (name) => pool.query('select record($1)', [name]))
  await Promise.all([call('returning', (name) => pool.query('insert into ledger values ($1) returning call', [name])), call('function 2', (name) => pool.query('select record($1)', [name]))])
  await call('transaction', transaction)
  await Promise.all([call('transaction 2', transaction), call('beside', insert)])
  await call('several', (name) => pool.query(`insert into ledger values ('${name}'); select 1`))
  let last
  for (let attempt = 0; attempt < 5 && last !== 'answered'; attempt++) {
    await restored()
    last = await outcome(pool.query('select 1'))
  }
  if (last !== 'answered') outcomes.set('recovery', last === 'unanswered' ? last : `failed: ${last.message}`)
  return outcomes
}

/** What is wrong with a run: nothing, or sentences. */
export function discrepancies(outcomes, counts) {
  const wrong = []
  for (const [name, outcome] of outcomes) {
    if (outcome === 'unanswered') wrong.push(`${name}: never answered`)
    if (typeof outcome === 'string' && outcome.startsWith('failed')) wrong.push(`${name} ${outcome}`)
    if (name.startsWith('read')) continue
    const times = counts.get(name) ?? 0
    if (outcome === 'answered' && times !== 1) wrong.push(`${name}: acknowledged, and ran ${times} times`)
    if (times > 1 && outcome !== 'answered') wrong.push(`${name}: failed, and ran ${times} times`)
  }
  return wrong
}
