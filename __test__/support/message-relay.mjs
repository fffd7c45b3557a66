// A TCP relay that knows where the protocol's messages begin and end, and asks about each one what becomes of it.
import { once } from 'node:events'
import { connect, createServer } from 'node:net'

const SSL_REQUEST = 80_877_103
const GSSENC_REQUEST = 80_877_104

/**
 * `decide` is asked for each message: `{ from, type, number }`, where `from` is `client` or `server`, `type` the message's letter (`startup` for what
 * has none) and `number` counts the messages of that direction on all links since `reset()`, from 1. It answers, or resolves with:
 * - nothing: the message is passed on;
 * - `cut before`, `cut after`: the link is closed in order, both ways, without the message or with it.
 */
export async function startMessageRelay(target) {
  const links = new Set()
  const relay = {
    host: '127.0.0.1',
    port: 0,
    decide: () => undefined,
    numbers: { client: 0, server: 0 },
    /** The next message of each direction is number 1, and all are passed on. */
    reset() {
      relay.numbers = { client: 0, server: 0 }
      relay.decide = () => undefined
    },
    /** Closes every link in order. */
    cut() {
      for (const { client, upstream } of links) for (const socket of [client, upstream]) socket.destroy()
    },
    async stop() {
      listener.close()
      relay.cut()
      await once(listener, 'close')
    },
  }
  const listener = createServer((client) => {
    client.setNoDelay(true)
    const upstream = connect(target.port, target.host ?? '127.0.0.1').setNoDelay(true)
    const link = { client, upstream, asked: false }
    links.add(link)
    for (const [socket, other] of [[client, upstream], [upstream, client]]) {
      // The other side sees the end after what was said before it.
      socket.on('error', () => {})
      socket.on('close', () => {
        links.delete(link)
        other.destroySoon()
      })
    }
    void pump(relay, link, 'client', client, upstream)
    void pump(relay, link, 'server', upstream, client)
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  relay.port = listener.address().port
  return relay
}

/** Passes on one direction of a link, message by message. */
async function pump(relay, link, from, source, sink) {
  let rest = Buffer.alloc(0)
  let started = from === 'server'
  try {
    for await (const chunk of source) {
      rest = Buffer.concat([rest, chunk])
      for (;;) {
        const length = messageLength(rest, started, link, from)
        if (length === undefined || rest.length < length) break
        const message = rest.subarray(0, length)
        rest = rest.subarray(length)
        let type = 'startup'
        if (from === 'server') {
          type = link.asked ? 'encryption' : String.fromCharCode(message[0])
          link.asked = false
        } else if (started) {
          type = String.fromCharCode(message[0])
        } else {
          const code = message.readInt32BE(4)
          link.asked = code === SSL_REQUEST || code === GSSENC_REQUEST
          started = !link.asked
        }
        const number = ++relay.numbers[from]
        const decision = await relay.decide({ from, type, number })
        if (decision !== 'cut before' && !sink.destroyed) sink.write(message)
        if (decision) {
          sink.destroySoon()
          source.destroy()
          return
        }
      }
    }
  } catch {
    // A reset ends the link like an end in order.
  }
}

function messageLength(bytes, started, link, from) {
  if (from === 'server' && link.asked) return bytes.length > 0 ? 1 : undefined
  if (!started) return bytes.length >= 4 ? bytes.readInt32BE(0) : undefined
  return bytes.length >= 5 ? 1 + bytes.readInt32BE(1) : undefined
}
