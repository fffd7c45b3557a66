/** Child of link.mjs: passes bytes on after half the round-trip time, in order, however many there are. */

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { answer } from './child.mjs'

/** Runs actions a fixed time after they were pushed. One timer serves all: what was pushed first is due first. */
class DelayLine {
  #delayMillis
  /** @type {{ due: number, action: () => void }[]} */
  #waiting = []
  #next = 0
  #scheduled = false

  /** @param {number} delayMillis */
  constructor(delayMillis) {
    this.#delayMillis = delayMillis
  }

  /** @param {() => void} action */
  push(action) {
    this.#waiting.push({ due: performance.now() + this.#delayMillis, action })
    this.#schedule()
  }

  #schedule() {
    if (this.#scheduled || this.#next === this.#waiting.length) return
    this.#scheduled = true
    setTimeout(this.#run, Math.max(1, Math.round(this.#waiting[this.#next].due - performance.now())))
  }

  #run = () => {
    this.#scheduled = false
    // Timers tick in milliseconds: what is due within half of one goes now, so that the error has no bias.
    const horizon = performance.now() + 0.5
    while (this.#next < this.#waiting.length && this.#waiting[this.#next].due <= horizon) this.#waiting[this.#next++].action()
    if (this.#next > 1_024) {
      this.#waiting.splice(0, this.#next)
      this.#next = 0
    }
    this.#schedule()
  }
}

/**
 * @param {import('node:net').Socket} from
 * @param {import('node:net').Socket} to
 * @param {DelayLine} line
 */
function relay(from, to, line) {
  from.setNoDelay(true)
  // No back-pressure: the callers of the bench are a closed loop, which bounds what is under way.
  from.on('data', (chunk) => line.push(() => to.write(chunk)))
  from.on('end', () => line.push(() => to.end()))
  from.on('error', () => to.destroy())
}

answer({
  /**
   * @param {{ targetPort: number, roundTripMillis: number }} settings
   * @returns {Promise<number>} the port to connect to
   */
  async listen({ targetPort, roundTripMillis }) {
    const line = new DelayLine(roundTripMillis / 2)
    const server = createServer({ allowHalfOpen: true }, (client) => {
      const target = connect({ port: targetPort, host: '127.0.0.1', allowHalfOpen: true })
      relay(client, target, line)
      relay(target, client, line)
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return /** @type {import('node:net').AddressInfo} */ (server.address()).port
  },
})
