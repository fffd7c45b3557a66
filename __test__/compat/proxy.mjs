// A TCP proxy in front of PostgreSQL that can lose connections at a chosen moment.
import { once } from 'node:events'
import net from 'node:net'

export async function startProxy(target, onPort) {
  const links = new Set()
  let budget = Infinity
  let stalled = false

  const listener = net.createServer((client) => {
    const upstream = net.connect(target.port, target.host)
    const link = { client, upstream }
    links.add(link)
    client.on('error', () => {})
    upstream.on('error', () => {})
    client.pipe(upstream)
    upstream.on('data', (chunk) => {
      if (stalled) return
      client.write(chunk.subarray(0, budget))
      budget -= chunk.length
      if (budget < 0) client.destroy()
    })
    client.on('close', () => {
      upstream.destroy()
      links.delete(link)
    })
    upstream.on('close', () => {
      // A stalled link stays up: the driver must notice by itself.
      if (!stalled) client.end()
    })
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address()
  onPort(port)

  return {
    host: '127.0.0.1',
    port,
    get connections() {
      return links.size
    },
    /** Closes every connection in order (FIN). */
    hangUp() {
      for (const { client } of links) client.destroy()
    },
    /** Resets every connection (RST). */
    reset() {
      for (const { client } of links) client.resetAndDestroy()
    },
    /** Passes this many more bytes from the server, then closes. */
    hangUpAfter(bytes) {
      budget = bytes
    },
    /** Drops what the server says from now on, and keeps the connection open. */
    stall() {
      stalled = true
    },
    /** Accepts no new connection: they are refused. */
    async refuse() {
      listener.close()
    },
    async close() {
      for (const { client } of links) client.destroy()
      if (listener.listening) {
        listener.close()
        await once(listener, 'close')
      }
    },
  }
}
