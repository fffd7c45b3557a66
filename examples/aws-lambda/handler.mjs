// For a function URL or API Gateway (payload 2.0): GET lists the items, POST adds one.
import { createLakebasePool } from 'lakebase-native'

const pool = createLakebasePool()

export async function handler(event) {
  if (event.requestContext?.http?.method === 'POST') {
    const { name } = JSON.parse(event.body)
    const { rows } = await pool.query('insert into items (name) values ($1) returning id, name', [name])
    return { statusCode: 201, body: JSON.stringify(rows[0]) }
  }
  const { rows } = await pool.query('select id, name from items order by id')
  return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: JSON.stringify(rows) }
}
