/** Everything a run started and must end, whether it finishes, fails or is interrupted. */

/** @type {(() => Promise<unknown> | unknown)[]} */
const held = []
/** @type {Promise<void> | undefined} */
let releasing

/**
 * Registers how to end something; runs at the latest when the process ends, last registered first.
 * @param {() => Promise<unknown> | unknown} release
 * @returns {() => Promise<void>} ends it now
 */
export function hold(release) {
  held.push(release)
  return async () => {
    const index = held.indexOf(release)
    if (index === -1) return
    held.splice(index, 1)
    await release()
  }
}

/** Ends everything that is still held, once. A failure to end one thing does not keep the next from being ended. */
export function releaseAll() {
  releasing ??= (async () => {
    for (let release = held.pop(); release; release = held.pop()) {
      try {
        await release()
      } catch (error) {
        console.error(error)
      }
    }
  })()
  return releasing
}

/** Ends everything on SIGINT, SIGTERM and SIGHUP, then exits with the code a shell gives such a process. */
export function releaseOnSignal() {
  for (const [signal, number] of /** @type {const} */ ([['SIGINT', 2], ['SIGTERM', 15], ['SIGHUP', 1]])) {
    process.on(signal, async () => {
      await releaseAll()
      process.exit(128 + number)
    })
  }
}
