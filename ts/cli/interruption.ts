/** The end of commands that run until somebody ends them. */

import { exitCodes } from './failure.js'

const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']

/** Resolves at the first Ctrl-C, SIGTERM or SIGHUP: time to end in order. A second one ends the process at once. */
export function interruption(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of SIGNALS) {
      process.once(signal, () => {
        process.once(signal, () => process.exit(exitCodes.interrupted))
        resolve(signal)
      })
    }
  })
}
