import type { Socket } from 'node:net'

/** Ends a TCP connection with a reset (RST), so that the peer's reads and writes fail. */
export function reset(socket: Socket): void {
  if (socket.destroyed) return
  // libuv refuses to reset a socket that is shutting down, and Node.js 20 then leaves its handle open for ever.
  if (socket.connecting || socket.writableEnded) socket.destroy()
  else socket.resetAndDestroy()
}
