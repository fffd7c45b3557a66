/** Measures a connection: each driver in processes of its own, in turns, so that what slows the machine for a while slows both. */

import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { getDatabaseUrl } from '../credential.js'
import type { LakebasePoolOptions } from '../lakebase-options.js'
import { pgModule, type Address, type DriverName, type Plan } from './driver.js'
import { latencies, median, type Latencies } from './statistics.js'
import type { Answer, Request } from './worker.js'

export interface Choice {
  options: LakebasePoolOptions
  /** How long each kind of load lasts for each driver, in all. */
  durationMillis: number
  /** Cold starts of each driver. */
  coldStarts: number
  /** Callers at once, for the throughput. */
  inFlight: number
  connections: number
  /** Whether to measure node-postgres, too, where there is one. */
  withPg: boolean
  onProgress: (what: string) => void
}

export interface Figures {
  driver: DriverName
  version: string
  /** From the start of a process to its first row, token and all: median, in milliseconds. */
  coldStartMillis: number
  /** One query at a time. */
  query: Latencies
  /** Queries a second, with so many in flight. */
  perSecond: number
}

export interface Report {
  address: Address
  /** The quickest of some TCP handshakes: what the network alone takes there and back. */
  networkMillis: number | null
  inFlight: number
  connections: number
  drivers: Figures[]
}

/** A driver that says nothing for so long has failed. */
const SILENCE_MILLIS = 60_000
const ROUNDS = 4
const HANDSHAKES = 5

export async function measure(choice: Choice): Promise<Report> {
  const { options, connections, inFlight } = choice
  choice.onProgress('finding the database')
  const address = addressIn(await getDatabaseUrl(options))
  const pg = choice.withPg ? pgModule() : undefined
  const { version } = require('../../package.json') as { version: string }
  const plans: { plan: Plan; version: string }[] = [
    { plan: { driver: 'lakebase-native', options, address, connections }, version },
    ...(pg ? [{ plan: { driver: 'pg', options, address, connections } as const, version: pg.version }] : []),
  ]
  choice.onProgress('network')
  const networkMillis = await handshake(address)

  const cold = plans.map((): number[] => [])
  for (let run = 1; run <= choice.coldStarts; run++) {
    choice.onProgress(`cold start ${run} of ${choice.coldStarts}`)
    for (const [index, { plan }] of plans.entries()) cold[index]!.push(await coldStart(plan))
  }

  const workers = plans.map(() => new Worker())
  try {
    for (const [index, { plan }] of plans.entries()) await workers[index]!.ask({ kind: 'open', plan })
    const took = plans.map((): number[] => [])
    const rates = plans.map((): number[] => [])
    const millis = choice.durationMillis / ROUNDS
    // The first round of each kind warms up, and does not count.
    for (let round = 0; round <= ROUNDS; round++) {
      choice.onProgress(round === 0 ? 'warming up' : `queries, round ${round} of ${ROUNDS}`)
      for (const [index, worker] of workers.entries()) {
        const alone = await worker.ask({ kind: 'alone', millis, inFlight })
        const together = await worker.ask({ kind: 'together', millis, inFlight })
        if (round === 0) continue
        if ('millis' in alone) for (const one of alone.millis) took[index]!.push(one)
        if ('count' in together) rates[index]!.push((together.count * 1000) / together.tookMillis)
      }
    }
    const drivers = plans.map(({ plan, version: of }, index): Figures => {
      return { driver: plan.driver, version: of, coldStartMillis: median(cold[index]!), query: latencies(took[index]!), perSecond: median(rates[index]!) }
    })
    return { address, networkMillis, inFlight, connections, drivers }
  } finally {
    await Promise.all(workers.map((worker) => worker.end()))
  }
}

async function coldStart(plan: Plan): Promise<number> {
  const worker = new Worker()
  try {
    const answer = await worker.ask({ kind: 'cold', plan })
    return 'millis' in answer ? answer.millis[0]! : Number.NaN
  } finally {
    await worker.end()
  }
}

class Worker {
  private readonly child: ChildProcess = fork(join(__dirname, 'worker.js'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  private readonly gone = once(this.child, 'exit')

  /** Rejects with the driver's error. */
  async ask(request: Request): Promise<Exclude<Answer, { failure: unknown }>> {
    let timer: NodeJS.Timeout | undefined
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the database did not answer for a minute')), SILENCE_MILLIS)
    })
    try {
      const answered = once(this.child, 'message').then(([answer]) => answer as Answer)
      const ended = this.gone.then(([code, signal]) => Promise.reject(new Error(`the measuring process ended with ${signal ?? code}`)))
      ended.catch(() => {})
      this.child.send(request)
      const answer = await Promise.race([answered, ended, silence])
      if (!('failure' in answer)) return answer
      const { name, message, code, hint } = answer.failure
      throw Object.assign(new Error(message), { name, ...(code && { code }), ...(hint && { hint }) })
    } finally {
      clearTimeout(timer)
    }
  }

  async end(): Promise<void> {
    if (this.child.connected) this.child.send({ kind: 'end' } satisfies Request, () => {})
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 5_000)
    await this.gone
    clearTimeout(timer)
  }
}

function addressIn(text: string): Address {
  const url = new URL(text)
  const host = url.searchParams.get('host') ?? url.hostname.replace(/^\[|\]$/g, '')
  return {
    host: decodeURIComponent(host),
    port: Number(url.port || 5432),
    user: decodeURIComponent(url.username),
    database: decodeURIComponent(url.pathname.slice(1)),
    sslMode: url.searchParams.get('sslmode') ?? 'prefer',
  }
}

/** Null where there is no TCP, or none that answers in time: the drivers will tell. */
async function handshake({ host, port }: Address): Promise<number | null> {
  if (host.startsWith('/')) return null
  let best = Number.POSITIVE_INFINITY
  for (let i = 0; i < HANDSHAKES; i++) {
    const began = performance.now()
    const socket = connect({ host, port })
    try {
      await once(socket, 'connect', { signal: AbortSignal.timeout(5_000) })
      // The first one has looked the name up.
      if (i > 0) best = Math.min(best, performance.now() - began)
    } catch {
      return null
    } finally {
      socket.destroy()
    }
  }
  return best
}
