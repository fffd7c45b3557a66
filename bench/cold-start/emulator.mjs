/** Child of scenarios/cold-start.mjs: the emulator in a process of its own, so that it does not share a thread with the clock. */

import * as entry from 'lakebase-native/emulator'
import { answer } from '../child.mjs'

/** @type {{ env: Record<string, string>, stop: () => Promise<void> } | undefined} */
let emulator

answer({
  /**
   * @param {{ latencyMillis: number }} settings
   * @returns {Promise<Record<string, string>>} the environment of a deployed application
   */
  async start({ latencyMillis }) {
    emulator = await /** @type {any} */ (entry).startEmulator({ latencyMillis })
    return /** @type {NonNullable<typeof emulator>} */ (emulator).env
  },
  stop: () => emulator?.stop(),
})
