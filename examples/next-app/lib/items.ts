import 'server-only'
import { desc, eq } from 'drizzle-orm'
import { getDb } from './db'
import type { NewItem } from './item-form'
import { type Item, items } from './schema'

export const PAGE_SIZE = 8

export interface ItemPage {
  items: Item[]
  total: number
  page: number
  pages: number
}

/** One page of the items, the newest first. `wanted` counts from 1; beyond the end it is the last page. */
export async function listItems(wanted: number): Promise<ItemPage> {
  const db = getDb()
  const select = (page: number) =>
    db
      .select()
      .from(items)
      .orderBy(desc(items.id))
      .limit(PAGE_SIZE)
      .offset((page - 1) * PAGE_SIZE)
  const [rows, total] = await Promise.all([select(wanted), db.$count(items)])
  const pages = Math.max(1, Math.ceil(total / PAGE_SIZE))
  if (wanted > pages) return { items: await select(pages), total, page: pages, pages }
  return { items: rows, total, page: wanted, pages }
}

export async function createItem(item: NewItem): Promise<Item> {
  const [created] = await getDb().insert(items).values(item).returning()
  return created
}

/** Resolves with undefined when the item is gone. */
export async function updateItem(id: number, item: NewItem): Promise<Item | undefined> {
  return getDb().transaction(async (tx) => {
    const [current] = await tx.select().from(items).where(eq(items.id, id)).for('update')
    if (!current || (current.name === item.name && current.quantity === item.quantity)) return current
    const [updated] = await tx
      .update(items)
      .set({ ...item, updatedAt: new Date() })
      .where(eq(items.id, id))
      .returning()
    return updated
  })
}

export async function deleteItem(id: number): Promise<void> {
  await getDb().delete(items).where(eq(items.id, id))
}
