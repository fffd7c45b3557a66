/** What `console.log()` shows of pools and clients: a line, not their internals. */

import { inspect, type InspectOptionsStylized } from 'node:util'

/** For a method named `inspect.custom`: the object's class, and what of it is worth showing. */
export function brief(object: object, shown: Record<string, unknown>, depth: number, options: InspectOptionsStylized): string {
  const { name } = object.constructor
  // Deeper than what is printed goes.
  if (depth < 0) return options.stylize(`[${name}]`, 'special')
  return `${name} ${inspect(shown, options)}`
}
