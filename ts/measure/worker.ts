/** A process that measures one driver: its cold start, or rounds of queries as its parent asks for them. */

import { openDriver, type Driver, type Plan } from './driver.js'

/** What the parent sends, and what it gets. */
export type Request = { kind: 'cold' | 'open'; plan: Plan } | { kind: 'alone' | 'together'; millis: number; inFlight: number } | { kind: 'end' }
export type Answer = { millis: number[] } | { count: number; tookMillis: number } | { failure: { name: string; message: string; code?: string; hint?: string } }

let driver: Driver | undefined

process.on('message', (request: Request) => {
  answer(request).then(
    (result) => result && process.send?.(result),
    (error: Error & { code?: string; hint?: string }) => {
      const { name, message, code, hint } = error
      process.send?.({ failure: { name, message, ...(code && { code }), ...(hint && { hint }) } } satisfies Answer)
    },
  )
})

async function answer(request: Request): Promise<Answer | undefined> {
  switch (request.kind) {
    case 'cold':
    case 'open': {
      driver = openDriver(request.plan)
      await driver.query(1)
      // Since the start of the process.
      return { millis: [performance.now()] }
    }
    case 'alone':
      return { millis: await alone(driver!, request.millis) }
    case 'together':
      return together(driver!, request.millis, request.inFlight)
    case 'end':
      await driver?.end()
      process.disconnect?.()
      return undefined
  }
}

/** One query after another: how long each took. */
async function alone({ query }: Driver, millis: number): Promise<number[]> {
  const took: number[] = []
  const end = performance.now() + millis
  for (let now = performance.now(); now < end; ) {
    await query(took.length)
    const after = performance.now()
    took.push(after - now)
    now = after
  }
  return took
}

/** So many callers at once: how many queries in which time. */
async function together({ query }: Driver, millis: number, callers: number): Promise<{ count: number; tookMillis: number }> {
  let count = 0
  const began = performance.now()
  const caller = async (): Promise<void> => {
    while (performance.now() - began < millis) {
      await query(count)
      count++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return { count, tookMillis: performance.now() - began }
}
