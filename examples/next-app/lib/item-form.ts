/** What the forms, the server actions and the route handler agree on. It runs in the browser, too. */

export interface NewItem {
  name: string
  quantity: number
}

export interface ItemFields {
  name: string
  quantity: string
}

export interface FormState {
  /** What the fields show: what was typed, after an error. */
  fields: ItemFields
  errors: Partial<Record<keyof ItemFields, string>>
  /** For the whole form: what went well or wrong. */
  message?: string
  ok?: boolean
}

export const emptyForm: FormState = { fields: { name: '', quantity: '1' }, errors: {} }

export const NAME_LENGTH = 80
export const MAX_QUANTITY = 1_000_000

export function parseItem(fields: ItemFields): { item: NewItem; errors?: undefined } | { item?: undefined; errors: FormState['errors'] } {
  const errors: FormState['errors'] = {}
  const name = fields.name.trim()
  if (!name) errors.name = 'Enter a name.'
  else if (name.length > NAME_LENGTH) errors.name = `Use at most ${NAME_LENGTH} characters.`
  const quantity = fields.quantity.trim() === '' ? Number.NaN : Number(fields.quantity)
  if (!Number.isInteger(quantity) || quantity < 0) errors.quantity = 'Enter a whole number, 0 or more.'
  else if (quantity > MAX_QUANTITY) errors.quantity = `Enter at most ${MAX_QUANTITY.toLocaleString('en')}.`
  return Object.keys(errors).length > 0 ? { errors } : { item: { name, quantity } }
}
