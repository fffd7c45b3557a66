import type { FormState, ItemFields } from '@/lib/item-form'

/** The two fields of an item, with their errors where they belong. `id` keeps several forms on one page apart. */
export function Fields({ id, state, focus }: { id: string; state: FormState; focus?: boolean }) {
  return (
    <>
      <Field id={`${id}-name`} name="name" label="Name" state={state} autoComplete="off" placeholder="Desk lamp" autoFocus={focus} className="sm:flex-1" />
      <Field id={`${id}-quantity`} name="quantity" label="Quantity" state={state} inputMode="numeric" autoComplete="off" className="sm:w-28" />
    </>
  )
}

interface FieldProps extends React.InputHTMLAttributes<HTMLInputElement> {
  id: string
  name: keyof ItemFields
  label: string
  state: FormState
}

function Field({ id, name, label, state, className, ...input }: FieldProps) {
  const error = state.errors[name]
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1.5 block text-sm font-medium">
        {label}
      </label>
      <input
        {...input}
        id={id}
        name={name}
        defaultValue={state.fields[name]}
        aria-invalid={error ? true : undefined}
        aria-describedby={error ? `${id}-error` : undefined}
        className="block h-10 w-full rounded-lg border border-stone-300 bg-white px-3 text-base placeholder:text-stone-500 aria-invalid:border-red-600 sm:text-sm dark:border-stone-700 dark:bg-stone-950 dark:placeholder:text-stone-500 dark:aria-invalid:border-red-400"
      />
      {error && (
        <p id={`${id}-error`} className="mt-1.5 text-sm text-red-700 dark:text-red-400">
          {error}
        </p>
      )}
    </div>
  )
}
