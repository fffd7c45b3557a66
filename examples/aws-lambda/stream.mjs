// For a function URL with invoke mode RESPONSE_STREAM: rows go out as they are read, one JSON object a line.
import { pipeline } from 'node:stream/promises'
import { createLakebasePool } from 'lakebase-native'

const pool = createLakebasePool()

export const handler = awslambda.streamifyResponse(async (_event, responseStream) => {
  responseStream.setContentType('application/x-ndjson')
  const client = await pool.connect()
  try {
    await pipeline(client.stream('select id, name from items order by id'), toLines, responseStream)
  } finally {
    client.release()
  }
})

async function* toLines(rows) {
  for await (const row of rows) yield `${JSON.stringify(row)}\n`
}
