// What the demo runs with.
import { parseArgs } from 'node:util'

const usage = 'usage: npm run demo [-- --minutes <n>]     (n minutes with tokens of 5 s; without it 18 s with tokens of 4 s)'

export function readSettings(args) {
  const { minutes } = parse(args)
  return {
    seconds: minutes ? minutes * 60 : 18,
    tokenSeconds: minutes ? 5 : 4,
    /** Callers at the same time, many more than connections. */
    callers: 40,
    /** `max` of the pool. */
    max: 10,
    /** `maxLifetimeSeconds` of the pool. */
    maxLifetimeSeconds: 1,
    /** How long the workspace takes to issue a password: a slow one, so that many calls run meanwhile. */
    refreshMillis: 500,
  }
}

function parse(args) {
  try {
    const { values } = parseArgs({ args, options: { minutes: { type: 'string' } } })
    const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
    if (minutes === undefined || minutes > 0) return { minutes }
  } catch {
    // Told below.
  }
  console.error(usage)
  process.exit(2)
}
