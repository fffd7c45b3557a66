import type { FormState } from '@/lib/item-form'

/** Always on the page, so that screen readers announce the text when it changes. */
export function FormMessage({ state }: { state: FormState }) {
  const colour = state.ok ? 'text-teal-800 dark:text-teal-300' : 'text-red-700 dark:text-red-400'
  return (
    <p role="status" className={`text-sm ${colour} ${state.message ? 'mt-3' : ''}`}>
      {state.message}
    </p>
  )
}
