'use client'

import { startTransition, useOptimistic, useState } from 'react'
import { removeItem } from '@/app/actions'
import type { Item } from '@/lib/schema'
import { EditItem } from './edit-item'
import { ItemRow } from './item-row'

export function ItemList({ items }: { items: Item[] }) {
  const [editing, setEditing] = useState<number>()
  const [problem, setProblem] = useState<string>()
  // A deleted item disappears at once, and comes back when the server could not delete it.
  const [shown, hide] = useOptimistic(items, (current, id: number) => current.filter((item) => item.id !== id))

  function remove(id: number) {
    startTransition(async () => {
      hide(id)
      setProblem(await removeItem(id))
    })
  }

  return (
    <>
      <p role="status" className={`text-sm text-red-700 dark:text-red-400 ${problem ? 'mb-3' : ''}`}>
        {problem}
      </p>
      {shown.length === 0 ? (
        <div className="rounded-xl border border-dashed border-stone-300 px-6 py-12 text-center dark:border-stone-700">
          <p className="font-medium">Nothing in stock yet</p>
          <p className="muted mt-1">Add the first item with the form above.</p>
        </div>
      ) : (
        <ul className="card divide-y divide-stone-200 dark:divide-stone-800">
          {shown.map((item) => (
            <li key={item.id} className="px-4 py-3 sm:px-5">
              {editing === item.id ? (
                <EditItem item={item} onClose={() => setEditing(undefined)} />
              ) : (
                <ItemRow item={item} onEdit={() => setEditing(item.id)} onRemove={() => remove(item.id)} />
              )}
            </li>
          ))}
        </ul>
      )}
    </>
  )
}
