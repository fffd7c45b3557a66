import type { NextRequest } from 'next/server'
import { parseItem } from '@/lib/item-form'
import { createItem, listItems } from '@/lib/items'
import { pageNumber } from '@/lib/page-number'

/** GET /api/items?page=2 */
export async function GET(request: NextRequest) {
  return Response.json(await listItems(pageNumber(request.nextUrl.searchParams.get('page'))))
}

/** POST /api/items with {"name": "Lamp", "quantity": 3} */
export async function POST(request: NextRequest) {
  const body = await request.json().catch(() => undefined)
  const { item, errors } = parseItem({ name: String(body?.name ?? ''), quantity: String(body?.quantity ?? '') })
  if (!item) return Response.json({ errors }, { status: 400 })
  return Response.json(await createItem(item), { status: 201 })
}
