// GET /.netlify/functions/items lists the items, POST adds one.
import { createLakebasePool } from 'lakebase-native'

const pool = createLakebasePool({ max: 5 })

export default async function items(request) {
  if (request.method === 'POST') {
    const { name } = await request.json()
    const { rows } = await pool.query('insert into items (name) values ($1) returning id, name', [name])
    return Response.json(rows[0], { status: 201 })
  }
  const { rows } = await pool.query('select id, name from items order by id')
  return Response.json(rows)
}
