'use client'

import { useActionState, useEffect, useRef } from 'react'
import { addItem } from '@/app/actions'
import { emptyForm } from '@/lib/item-form'
import { Fields } from './fields'
import { FormMessage } from './form-message'

export function AddItem() {
  const [state, action, pending] = useActionState(addItem, emptyForm)
  const form = useRef<HTMLFormElement>(null)

  // To the first field that has an error, or to the name for the next item.
  useEffect(() => {
    if (state === emptyForm) return
    const field = form.current?.querySelector<HTMLElement>('[aria-invalid]') ?? form.current?.querySelector('input')
    field?.focus()
  }, [state])

  return (
    <section aria-labelledby="add-heading" className="card p-4 sm:p-5">
      <h2 id="add-heading" className="sr-only">
        Add an item
      </h2>
      <form ref={form} action={action} noValidate>
        <div className="flex flex-col gap-4 sm:flex-row sm:items-start">
          <Fields id="add" state={state} />
          <button type="submit" disabled={pending} className="button-primary sm:mt-6.5 sm:w-28">
            {pending ? 'Adding…' : 'Add item'}
          </button>
        </div>
        <FormMessage state={state} />
      </form>
    </section>
  )
}
