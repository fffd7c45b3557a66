/** This JavaScript thread's line to Rust: numbered requests out, batches of answers and events in. */

import { constants } from 'node:buffer'
import { read } from './answers.js'
import { onObserved } from './instrumentation.js'
import { native, type Environment } from './native.js'
import { Cursor } from './rows.js'

export { expect, hold, listen, onQuestion, refuse, unlisten, type Listener, type Waiting } from './answers.js'

/** Words that an ordinary batch fits into: 256 KiB. */
const WORDS = 1 << 16

const own = new Cursor(new Int32Array(WORDS))

export const environment: Environment = new native.Environment(drain, constants.MAX_STRING_LENGTH)

// Rust tells of attempts to connect and of fetches of tokens that JavaScript did not ask for.
onObserved((isObserved) => environment.observe(isObserved))

/** Takes one batch. The next one comes in a turn of its own: what awaits an answer goes on before a later one is told, as with a socket. */
function drain(): void {
  const chunks = environment.drain(own.words)
  if (!chunks) return
  const count = own.words[0]!
  if (own.words[1] !== 0) setImmediate(drain)
  if (count >= 0) {
    own.start(chunks)
    read(own, 2, 2 + count)
  } else {
    const large = new Cursor(environment.takeWords())
    large.start(chunks)
    read(large, 0, large.words.length)
  }
}
