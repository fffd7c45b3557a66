/** A link with a round-trip time: a relay in a process of its own, and the proof that it is not what is measured. */

import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { performance } from 'node:perf_hooks'
import { Child } from './child.mjs'
import { hold } from './resources.mjs'
import { median } from './statistics.mjs'

/** About what a point query and its answer weigh on the wire, with TLS. */
const MESSAGE_BYTES = 250

/**
 * Starts a link of `roundTripMillis` to a port of this machine and measures what it can carry.
 * @param {number} roundTripMillis
 * @param {number} targetPort
 */
export async function startLink(roundTripMillis, targetPort) {
  const relay = new Child('relay.mjs')
  const stop = hold(() => relay.stop())
  const port = await relay.call('listen', { targetPort, roundTripMillis })

  const echo = createServer((socket) => socket.setNoDelay(true).pipe(socket).on('error', () => socket.destroy()))
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  const echoPort = /** @type {import('node:net').AddressInfo} */ (echo.address()).port
  const measuredPort = await relay.call('listen', { targetPort: echoPort, roundTripMillis })
  const single = await exchange(measuredPort, { connections: 1, inFlight: 1, millis: 20 * roundTripMillis })
  const many = await exchange(measuredPort, { connections: 10, inFlight: 2_000, millis: 500 })
  echo.close()

  const note =
    `Measured without a database: a round trip takes ${median(single.roundTrips).toFixed(1)} ms, ` +
    `and the link carries ${Math.round(many.perSecond).toLocaleString('en')} exchanges/s of ${MESSAGE_BYTES} bytes each way.`
  return { port, note, stop }
}

/**
 * Sends messages to an echo and counts what comes back.
 * @param {number} port
 * @param {{ connections: number, inFlight: number, millis: number }} load
 */
async function exchange(port, { connections, inFlight, millis }) {
  const message = Buffer.alloc(MESSAGE_BYTES)
  const share = inFlight / connections
  /** @type {number[]} */
  const roundTrips = []
  let answered = 0
  const sockets = await Promise.all(
    Array.from({ length: connections }, async () => {
      const socket = connect(port, '127.0.0.1').setNoDelay(true)
      await once(socket, 'connect')
      return socket
    }),
  )
  const startedAt = performance.now()
  for (const socket of sockets) {
    let received = 0
    let sentAt = performance.now()
    socket.on('data', (chunk) => {
      received += chunk.length
      const complete = Math.floor(received / MESSAGE_BYTES)
      if (complete === 0) return
      received -= complete * MESSAGE_BYTES
      answered += complete
      roundTrips.push(performance.now() - sentAt)
      sentAt = performance.now()
      for (let sent = 0; sent < complete; sent++) socket.write(message)
    })
    for (let sent = 0; sent < share; sent++) socket.write(message)
  }
  await new Promise((resolve) => setTimeout(resolve, millis))
  const perSecond = (answered / (performance.now() - startedAt)) * 1_000
  for (const socket of sockets) socket.destroy()
  return { roundTrips, perSecond }
}
