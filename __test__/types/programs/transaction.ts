// A helper that runs work in a transaction, and generic queries inside it.
import type { ClientBase, Pool, PoolClient, QueryConfig, QueryResultRow } from 'pg'

export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  let failure: Error | undefined
  try {
    await client.query('BEGIN')
    const result = await work(client)
    await client.query('COMMIT')
    return result
  } catch (error) {
    failure = error as Error
    if (client.getTransactionStatus() !== 'I') await client.query('ROLLBACK')
    throw error
  } finally {
    client.release(failure)
  }
}

export async function one<Row extends QueryResultRow>(client: ClientBase, text: string, values?: unknown[]): Promise<Row> {
  const { rows, rowCount } = await client.query<Row>(text, values)
  if (rowCount !== 1 || rows[0] === undefined) throw new Error(`expected one row of ${text}`)
  return rows[0]
}

export async function many<Row extends QueryResultRow, Values extends unknown[]>(client: ClientBase, query: QueryConfig<Values>): Promise<Row[]> {
  return (await client.query<Row, Values>(query)).rows
}

export async function transfer(pool: Pool, from: string, to: string, amount: number): Promise<{ balance: string }> {
  return inTransaction(pool, async (client) => {
    await client.query('update accounts set balance = balance - $2 where id = $1', [from, amount])
    await client.query<never, [string, number]>('update accounts set balance = balance + $2 where id = $1', [to, amount])
    await many<{ id: string }, [string[]]>(client, { text: 'select id from accounts where id = any($1)', values: [[from, to]] })
    return one<{ balance: string }>(client, 'select balance from accounts where id = $1', [from])
  })
}

/** A client of a pool is a client. */
export async function both(pool: Pool): Promise<void> {
  pool.connect((error, client, done) => {
    if (error || !client) return done(error)
    client.query('select 1', (failure) => done(failure))
  })
  const client = await pool.connect()
  const base: ClientBase = client
  await base.query('select 1')
  client.release(true)
}
