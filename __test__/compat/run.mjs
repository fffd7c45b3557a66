// Runs the whole suite against one PostgreSQL and prints how many cases each file holds.
//   node __test__/compat/run.mjs [file or part of a name …]
//   COMPAT_SUBJECT=pg         compares pg with itself
//   COMPAT_PG_BINDIR=…/bin    another PostgreSQL
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

import { startServer } from './server.mjs'

const directory = path.dirname(fileURLToPath(import.meta.url))
const wanted = process.argv.slice(2)
const files = readdirSync(directory)
  .filter((name) => name.endsWith('.test.mjs') && (wanted.length === 0 || wanted.some((part) => name.includes(part))))
  .map((name) => path.join(directory, name))

const { server, stop } = await startServer()
process.env.COMPAT_SERVER = JSON.stringify(server)

const counts = new Map()
const slow = []
let failures = 0
const started = Date.now()
const events = run({ files, concurrency: Math.max(2, availableParallelism()) })
events.on('test:pass', (event) => count(event))
events.on('test:fail', (event) => {
  failures++
  count(event)
})
function count({ name, details }) {
  if (!name.includes(' › ')) return
  const key = name.slice(0, name.indexOf(' › '))
  counts.set(key, (counts.get(key) ?? 0) + 1)
  slow.push([details.duration_ms, name])
}
events.on('end', async () => {
  await stop()
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0)
  console.log([...counts].sort().map(([file, n]) => `${String(n).padStart(5)}  ${file}`).join('\n'))
  console.log(`${String(total).padStart(5)}  cases, ${failures} failures, ${((Date.now() - started) / 1000).toFixed(1)} s`)
  if (process.env.COMPAT_SLOW) {
    console.log(slow.sort((a, b) => b[0] - a[0]).slice(0, 25).map(([millis, name]) => `${millis.toFixed(0).padStart(6)} ms  ${name}`).join('\n'))
  }
  process.exitCode = failures > 0 || total === 0 ? 1 : 0
})
if (process.env.COMPAT_REPORTER === 'spec') events.compose(new spec()).pipe(process.stdout)
else {
  events.on('test:fail', ({ name, details }) => {
    const causes = []
    for (let error = details.error.cause ?? details.error; error; error = error.cause) causes.push(error.stack ?? error)
    console.log(`✖ ${name}\n${causes.join('\n')}\n`)
  })
  events.resume()
}
