// A plain function: GET /api/items lists the items, POST /api/items adds one.
import { pool } from '../lib/pool.js'

export async function GET() {
  const { rows } = await pool.query('select id, name from items order by id')
  return Response.json(rows)
}

export async function POST(request) {
  const { name } = await request.json()
  const { rows } = await pool.query('insert into items (name) values ($1) returning id, name', [name])
  return Response.json(rows[0], { status: 201 })
}
