/**
 * Runs the tests against what is built: the areas named, else everything.
 *   node scripts/test.mjs                   Rust, then every folder of __test__ but apps, which install hundreds of packages
 *   node scripts/test.mjs apps              the apps: see `npm run test:apps`
 *   node scripts/test.mjs rust              Rust only
 *   node scripts/test.mjs compat pool/end   a folder; files whose path under __test__ begins so
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join, sep } from 'node:path'
import { root } from './entries.mjs'

const areas = process.argv.slice(2)
const everything = areas.length === 0

// Not a glob of the runner: Node 20 has none.
const files = readdirSync(join(root, '__test__'), { recursive: true })
  .map((file) => file.replaceAll(sep, '/'))
  .filter((file) => file.endsWith('.test.mjs') && (everything ? !file.startsWith('apps/') : areas.some((area) => file === area || file.startsWith(area))))
  .sort()
const rust = everything || areas.includes('rust')
const unknown = areas.filter((area) => area !== 'rust' && !files.some((file) => file.startsWith(area)))
if (unknown.length > 0) {
  console.error(`no test file under __test__ begins with ${unknown.join(', ')}`)
  process.exit(1)
}

let failed = false
const rustOutput = rust ? await run('cargo', ['test', '--quiet'], { capture: true }) : ''
if (files.length > 0) {
  await run(process.execPath, [
    '--test',
    '--test-reporter=spec',
    // Two processes, and the PostgreSQL servers they start, fill a small machine.
    '--test-concurrency=2',
    // For a whole file: a hang becomes a failure that names it.
    '--test-timeout=1800000',
    ...files.map((file) => `__test__/${file}`),
  ])
}
// Again, where somebody who reads only the end finds it.
for (const summary of rustOutput.match(/^test result: .*$/gm) ?? []) console.log(`cargo test: ${summary}`)
process.exitCode = failed ? 1 : 0

/** Runs a program to its end and remembers a failure. With `capture`, resolves with what it printed. */
async function run(program, args, { capture = false } = {}) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', capture ? 'pipe' : 'inherit', 'inherit'] })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    process.stdout.write(text)
    output += text
  })
  const [code] = await once(child, 'close')
  if (code !== 0) failed = true
  return output
}
