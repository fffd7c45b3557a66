// What must not compile.
import { Client, Pool, Query, types, type ClientConfig, type PoolClient, type PoolConfig, type QueryConfig, type QueryResult } from 'pg'

interface Row {
  id: number
}
declare const pool: Pool
declare const client: PoolClient

export async function results(): Promise<void> {
  const { rows, rowCount, fields } = await pool.query<Row>('select 1')
  // @ts-expect-error the row has no such column
  console.log(rows[0]?.name)
  // @ts-expect-error null where a command has no count
  rowCount.toFixed()
  // @ts-expect-error a column has no such property
  console.log(fields[0]?.oid)
  // @ts-expect-error another row type
  const other: QueryResult<{ id: string }> = await pool.query<Row>('select 1')
  // @ts-expect-error rows as arrays are no objects
  const objects: Row[] = (await pool.query<[number]>({ text: 'select 1', rowMode: 'array' })).rows
  // @ts-expect-error a callback means that no promise comes
  await pool.query('select 1', () => {}).then()
  // @ts-expect-error a row type is an object
  await pool.query<number>('select 1')
  console.log(other, objects)
}

// @ts-expect-error text is a string
void pool.query(1)
// @ts-expect-error a query has a text
void pool.query({ values: [1] })
// @ts-expect-error values are an array
void pool.query('select $1', 1)
// @ts-expect-error values of another type
void pool.query<Row, [number]>('select $1', ['a'])
// @ts-expect-error no such way to have rows
void pool.query({ text: 'select 1', rowMode: 'object' })
// @ts-expect-error a misspelt option
export const query: QueryConfig = { text: 'select 1', vales: [] }

// @ts-expect-error no such event
pool.on('conect', () => {})
// @ts-expect-error the listener gets a client
pool.on('connect', (count: number) => console.log(count))
// @ts-expect-error no such event
client.on('notify', () => {})
// @ts-expect-error a notification has a payload, a string
client.on('notification', (message: { payload: number }) => console.log(message))
// @ts-expect-error a row has no such column
new Query<Row>('select 1').on('row', (row) => console.log(row.name))

// @ts-expect-error a number
export const config: PoolConfig = { max: '10' }
// @ts-expect-error a misspelt option
export const misspelt = new Pool({ maximum: 10 })
// @ts-expect-error an option of pools
export const options: ClientConfig = { max: 1 }
// @ts-expect-error a number
new Client({ connectionTimeoutMillis: '1s' })
// @ts-expect-error one of two ways
new Client({ sslnegotiation: 'never' })
// @ts-expect-error read only
pool.totalCount = 1
// @ts-expect-error only a pool's clients are released
new Client().release()
// @ts-expect-error an error or a boolean
client.release('broken')
// @ts-expect-error a parser is a function
types.setTypeParser(20, 'bigint')
// @ts-expect-error no such type
console.log(types.builtins.INT9)
// @ts-expect-error 'I', 'T' or 'E'
export const status: 'idle' | null = client.getTransactionStatus()
// @ts-expect-error a client is no pool
export const none: Pool = client
