// The style with callbacks.
import { Client, Pool, type QueryResult } from 'pg'

interface Row {
  n: number
}

const pool = new Pool()
pool.connect((error, client, done) => {
  if (error) throw error
  client?.query<Row>('select 1 as n', (failure, result) => {
    done(failure)
    console.log(result.rows[0]?.n.toFixed(), result.oid.toFixed())
  })
})
pool.query('select $1::int as n', [1], (error: Error, result: QueryResult<Row>) => console.log(error, result.rows))
pool.query<Row>('select 1 as n', (error: Error | null, { rows }) => console.log(error?.message, rows[0]?.n))
pool.query<Row>({ text: 'select $1', values: [1] }, (_error, { rows }) => console.log(rows))
pool.end(() => console.log('ended'))

const client = new Client('postgres://localhost/app')
client.connect((error: Error) => {
  if (error) throw error
  client.query('select 1', (_failure: Error | undefined, result) => console.log(result.rowCount))
  client.end((failure) => console.log(failure?.message))
})
export const connected: Promise<Client> = client.connect()
