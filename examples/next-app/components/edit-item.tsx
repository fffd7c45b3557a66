'use client'

import { useActionState } from 'react'
import { editItem } from '@/app/actions'
import type { FormState } from '@/lib/item-form'
import type { Item } from '@/lib/schema'
import { Fields } from './fields'
import { FormMessage } from './form-message'

export function EditItem({ item, onClose }: { item: Item; onClose: () => void }) {
  const initial: FormState = { fields: { name: item.name, quantity: String(item.quantity) }, errors: {} }
  const [state, action, pending] = useActionState(async (previous: FormState, form: FormData) => {
    const next = await editItem(item.id, previous, form)
    if (next.ok) onClose()
    return next
  }, initial)

  return (
    <form action={action} noValidate aria-label={`Edit ${item.name}`} onKeyDown={(event) => event.key === 'Escape' && onClose()} className="py-1">
      <div className="flex flex-col gap-4 sm:flex-row sm:items-start">
        <Fields id={`edit-${item.id}`} state={state} focus />
      </div>
      <FormMessage state={state} />
      <div className="mt-4 flex gap-2">
        <button type="submit" disabled={pending} className="button-primary">
          {pending ? 'Saving…' : 'Save'}
        </button>
        <button type="button" onClick={onClose} className="button-quiet">
          Cancel
        </button>
      </div>
    </form>
  )
}
