'use server'

import { revalidatePath } from 'next/cache'
import { emptyForm, type FormState, type ItemFields, parseItem } from '@/lib/item-form'
import { createItem, deleteItem, updateItem } from '@/lib/items'

export async function addItem(_previous: FormState, form: FormData): Promise<FormState> {
  const fields = fieldsOf(form)
  const { item, errors } = parseItem(fields)
  if (!item) return { fields, errors }
  try {
    await createItem(item)
  } catch (error) {
    return notSaved(fields, error)
  }
  revalidatePath('/')
  return { ...emptyForm, ok: true, message: `${item.name} was added.` }
}

export async function editItem(id: number, _previous: FormState, form: FormData): Promise<FormState> {
  const fields = fieldsOf(form)
  const { item, errors } = parseItem(fields)
  if (!item) return { fields, errors }
  try {
    if (!(await updateItem(Number(id), item))) return { fields, errors: {}, message: 'Somebody has deleted this item.' }
  } catch (error) {
    return notSaved(fields, error)
  }
  revalidatePath('/')
  return { fields, errors: {}, ok: true }
}

/** Resolves with an error's text, or with undefined when the item is gone. */
export async function removeItem(id: number): Promise<string | undefined> {
  try {
    await deleteItem(Number(id))
  } catch (error) {
    return notSaved(emptyForm.fields, error).message
  }
  revalidatePath('/')
}

function fieldsOf(form: FormData): ItemFields {
  return { name: String(form.get('name') ?? ''), quantity: String(form.get('quantity') ?? '') }
}

function notSaved(fields: ItemFields, error: unknown): FormState {
  console.error(error)
  return { fields, errors: {}, message: 'The change was not saved. Please try again.' }
}
