/** Puts the parts of the status page together. */

import type { Emulator } from '../emulator/index.js'
import type { SlowQuery } from './slow-queries.js'
import { StatusBoard } from './status.js'
import { StatusServer, type StatusServerOptions } from './status-server.js'
import { SwitchBoard, switches } from './switches.js'

export interface RunningStatus {
  /** Undefined without a page. */
  url: string | undefined
  onSlow(query: SlowQuery): void
  close(): void
}

export interface StatusChoice {
  emulator: Emulator
  latencyMillis: number
  /** Undefined: no page. */
  port: number | undefined
  /** The port was asked for: no other will do. */
  isFixed: boolean
  /** Switches that are on from the start. */
  fail: readonly string[]
}

export async function startStatus({ emulator, latencyMillis, port, isFixed, fail }: StatusChoice): Promise<RunningStatus> {
  const switchBoard = new SwitchBoard(emulator)
  for (const name of fail) await switchBoard.set(name, true)
  let latency = latencyMillis
  const setLatency = (millis: number): void => {
    latency = millis
    emulator.setLatency(millis)
  }
  const names = switches.map(({ name }) => name)
  const statusBoard = new StatusBoard(emulator, switchBoard, () => latency, names)
  const server = port === undefined ? undefined : await listen({ port, emulator, statusBoard, switchBoard, setLatency }, isFixed)
  return { url: server?.url, onSlow: (query) => statusBoard.slow(query), close: () => server?.close() }
}

async function listen(options: StatusServerOptions, isFixed: boolean): Promise<StatusServer> {
  try {
    return await StatusServer.start(options)
  } catch (error) {
    if (isFixed || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return StatusServer.start({ ...options, port: 0 })
  }
}
