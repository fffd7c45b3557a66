// The same with Hono: GET /api/hono/items, POST /api/hono/items.
import { Hono } from 'hono'
import { handle } from 'hono/vercel'
import { pool } from '../lib/pool.js'

const app = new Hono().basePath('/api/hono')

app.get('/items', async (c) => {
  const { rows } = await pool.query('select id, name from items order by id')
  return c.json(rows)
})

app.post('/items', async (c) => {
  const { name } = await c.req.json()
  const { rows } = await pool.query('insert into items (name) values ($1) returning id, name', [name])
  return c.json(rows[0], 201)
})

export const GET = handle(app)
export const POST = handle(app)
