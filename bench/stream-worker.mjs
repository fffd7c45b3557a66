/** One way of streaming, in a process of its own: `stream-worker.mjs <driver>`, see scenarios/stream.mjs. */

import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { answer } from './child.mjs'
import { startMeter } from './meter.mjs'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc')

const [driver] = process.argv.slice(2)
const usesPg = driver === 'pg'

/** @type {any} */
let client
/** @type {(text: string, batchSize: number | undefined) => AsyncIterable<unknown>} */
let rowsOf

answer({
  /** @param {{ address: import('./drivers/index.mjs').Address }} settings */
  async connect({ address: { ca, ...address } }) {
    const { default: pg } = await import(usesPg ? 'pg' : 'lakebase-native/pg')
    client = new pg.Client({ ...address, ssl: { ca } })
    await client.connect()
    if (driver === 'ours') {
      rowsOf = (text, batchSize) => client.stream(text, [], { batchSize })
    } else {
      const { default: QueryStream } = await import('pg-query-stream')
      rowsOf = (text, batchSize) => client.query(new QueryStream(text, [], { batchSize }))
    }
  },

  /** @param {{ text: string, count: number, batchSize?: number }} query */
  async measure({ text, count, batchSize }) {
    const step = Math.floor(count / 10)
    const memory = []
    let rows = 0
    const stop = startMeter()
    for await (const _row of rowsOf(text, batchSize)) {
      if (++rows % step !== 0) continue
      collectGarbage()
      const { heapUsed, rss } = process.memoryUsage()
      memory.push({ heap: heapUsed / 1e6, rss: rss / 1e6 })
    }
    const cost = stop()
    if (rows !== count) throw new Error(`${rows} rows instead of ${count}`)
    return {
      perSecond: (rows / cost.elapsedMillis) * 1_000,
      activeMicros: (cost.activeMillis / rows) * 1_000,
      heapFirst: memory[0].heap,
      heapLast: memory[9].heap,
      rssFirst: memory[0].rss,
      rssLast: memory[9].rss,
    }
  },

  stop: () => client?.end(),
})
