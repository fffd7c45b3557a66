import type { Item } from '@/lib/schema'

// One time zone for the server and every browser, so that both render the same text.
const date = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeZone: 'UTC' })

export function ItemRow({ item, onEdit, onRemove }: { item: Item; onEdit: () => void; onRemove: () => void }) {
  return (
    <div className="flex items-center gap-3">
      <div className="min-w-0 flex-1">
        <p className="font-medium wrap-anywhere">{item.name}</p>
        <p className="muted tabular-nums">
          {item.quantity === 0 ? 'Out of stock' : `${item.quantity.toLocaleString('en')} in stock`}
          <span className="max-sm:hidden"> · changed {date.format(item.updatedAt)}</span>
        </p>
      </div>
      <div className="-mr-2 flex shrink-0">
        <button type="button" onClick={onEdit} aria-label={`Edit ${item.name}`} className="button-quiet px-3">
          Edit
        </button>
        <button type="button" onClick={onRemove} aria-label={`Delete ${item.name}`} className="button-quiet px-3 hover:text-red-700 dark:hover:text-red-400">
          Delete
        </button>
      </div>
    </div>
  )
}
