/** `lakebase bench`: how fast the user's own connection is. */

import type { Command } from 'commander'
import type { Figures, Report } from '../../measure/measure.js'
import { addConnectionFlags, connectionOptions, type ConnectionFlags } from '../connection-flags.js'
import { note, paint, printResult, table, wantsJson } from '../output.js'
import { subcommand } from '../subcommand.js'
import { readMillis, readNumber, showMillis } from '../quantities.js'

interface Flags extends ConnectionFlags {
  duration: string
  coldStarts: string
  inFlight: string
  connections: string
  /** False with `--no-pg`. */
  pg: boolean
}

/** The longest that a kind of load may last. */
const MAX_MILLIS = 60_000

export function bench(program: Command): void {
  const command = subcommand(program, 'bench', 'Measure your connection: cold start, a query at a time, many at once. Reads only.', [
    ['lakebase bench', 'half a minute, beside pg if it is installed'],
    ['lakebase bench --duration 10s --in-flight 200', 'longer, with more callers'],
    ['lakebase bench --json > before.json', 'keep the figures'],
  ])
  addConnectionFlags(command)
    .option('--duration <duration>', 'how long each kind of load lasts for each package, at most 60s', '4s')
    .option('--cold-starts <number>', 'fresh processes of each package', '3')
    .option('--in-flight <number>', 'callers at once', '64')
    .option('--connections <number>', 'connections of each pool', '10')
    .option('--no-pg', 'do not measure node-postgres, even where it is installed')
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const durationMillis = Math.min(readMillis('--duration', flags.duration), MAX_MILLIS)
  const choice = {
    options: connectionOptions(flags),
    durationMillis,
    coldStarts: readNumber('--cold-starts', flags.coldStarts, 1, 100),
    inFlight: readNumber('--in-flight', flags.inFlight, 1, 10_000),
    connections: readNumber('--connections', flags.connections, 1, 1_000),
    withPg: flags.pg,
    onProgress,
  }
  const { measure } = require('../../measure/measure.js') as typeof import('../../measure/measure.js')
  let report: Report
  try {
    report = await measure(choice)
  } finally {
    onProgress('')
  }
  printResult(report, () => chart(report))
}

/** One line of a terminal that is written again and again; nothing elsewhere. */
function onProgress(what: string): void {
  if (process.stderr.isTTY && !wantsJson()) process.stderr.write(`\r\u001b[K${paint('dim', what, process.stderr)}`)
}

const BAR = 24

function chart({ address, networkMillis, inFlight, connections, drivers }: Report): string {
  const network = networkMillis === null ? '' : `, ${showMillis(networkMillis)} away`
  const title = `${paint('bold', `${address.host}:${address.port}/${address.database}`)}${network}`
  const rate = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`
  const parts = [
    section('cold start', 'from a new process to its first row; less is better', drivers, ({ coldStartMillis }) => coldStartMillis, showMillis),
    section('one at a time', 'median of a query; less is better', drivers, ({ query }) => query.p50, showMillis),
    section(`${inFlight} in flight`, `queries a second, ${connections} connections; more is better`, drivers, ({ perSecond }) => perSecond, rate),
  ]
  const rows = drivers.map(({ driver, query }) => [driver, showMillis(query.p50), showMillis(query.p95), showMillis(query.p99), String(query.count), spark(query.histogram)])
  const latency = table([['', 'p50', 'p95', 'p99', 'queries', ''].map((head) => paint('dim', head)), ...rows], { indent: '  ' })
  if (drivers.length === 1) note('pg is not installed here: nothing to compare with')
  return [title, ...parts, `${paint('bold', 'one at a time')}  ${paint('dim', 'how long queries took')}\n${latency}`].join('\n\n')
}

function section(title: string, what: string, drivers: readonly Figures[], value: (figures: Figures) => number, show: (value: number) => string): string {
  const most = Math.max(...drivers.map(value))
  const rows = drivers.map((figures, index) => {
    const label = `${figures.driver} ${paint('dim', figures.version)}`
    return [label, paint(index === 0 ? 'green' : 'blue', bar(value(figures) / most)), show(value(figures))]
  })
  return `${paint('bold', title)}  ${paint('dim', what)}\n${table(rows, { indent: '  ' })}`
}

/** In eighths of a character. */
function bar(share: number): string {
  const eighths = Math.max(1, Math.round(share * BAR * 8))
  return ('█'.repeat(Math.floor(eighths / 8)) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8]!).padEnd(BAR)
}

function spark(histogram: readonly number[]): string {
  const most = Math.max(...histogram, 1)
  return histogram.map((count) => (count === 0 ? ' ' : '▁▂▃▄▅▆▇█'[Math.min(7, Math.floor((count / most) * 8))]!)).join('')
}
