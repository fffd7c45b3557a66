/** postgres.js as its documentation shows it: tagged templates, prepared once per connection and pipelined by default. */

import postgres from 'postgres'
import { IDLE_TIMEOUT_MILLIS } from './index.mjs'

/** @type {import('./index.mjs').Driver['open']} */
export function open({ ca, user, ...address }, max) {
  const sql = postgres({ ...address, username: user, max, ssl: { ca }, idle_timeout: IDLE_TIMEOUT_MILLIS / 1000 })
  return {
    statement(text) {
      const parts = text.split(/\$\d+/)
      const template = /** @type {TemplateStringsArray} */ (Object.assign(parts, { raw: parts }))
      return (values) => sql(template, .../** @type {any[]} */ (values))
    },
    rows: (result) => [...result],
    end: () => sql.end({ timeout: 5 }),
  }
}
