// Query objects of other packages: a cursor, a stream of rows, and one of the program's own.
import { pipeline } from 'node:stream/promises'
import { type Client, type Pool, Query, type Connection, type Submittable } from 'pg'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'

interface Row {
  id: number
}

export async function* inBatches(pool: Pool): AsyncGenerator<Row[]> {
  const client = await pool.connect()
  try {
    const cursor = client.query(new Cursor<Row>('select * from big where id > $1', [0]))
    for (let rows = await cursor.read(100); rows.length > 0; rows = await cursor.read(100)) yield rows
    await cursor.close()
  } finally {
    client.release()
  }
}

export async function streamed(client: Client, target: NodeJS.WritableStream): Promise<void> {
  const stream = client.query(new QueryStream('select * from big', [], { batchSize: 10, rowMode: 'array' }))
  await pipeline(stream, target)
  for await (const row of client.query(new QueryStream('select 1'))) console.log(row)
}

class Ping implements Submittable {
  submit(connection: Connection): void {
    connection.query('select 1')
    connection.sync()
  }
}

export function own(client: Client, pool: Pool): Ping {
  const query = client.query(new Query<Row>('select * from big'))
  query.on('row', (row, result) => {
    console.log(row.id.toFixed(), result?.fields.length)
    result?.addRow(row)
  })
  query.on('end', (result) => console.log(result.rowCount, result.command.length))
  query.on('error', (error) => console.error(error.message))
  client.query(new Query('select $1::int as id', [1], (error, result) => console.log(error, result.rows)))
  client.query(new Query<Row, [number]>({ text: 'select $1::int as id', values: [1] }, (error, result) => console.log(error, result.rows[0]?.id)))
  const ping: Ping = pool.query(new Ping())
  client.connection.stream.on('close', () => {})
  return ping
}
