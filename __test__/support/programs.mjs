// Programs in place of `databricks` and `az`, which note how they were called.
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** The CLI that is written in another language is smaller. */
const MIB = 1024 * 1024

/**
 * A directory for `PATH` with a program of this name, a shell script. It finds its arguments as usual; a second line of each call in `calls()`
 * tells what it read from its input.
 */
export function program(name, script, { size = MIB } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'lakebase-program-'))
  const log = join(directory, 'calls')
  const text = `#!/bin/sh\nprintf '%s\\n' "$*" >> '${log}'\n${script}\n`
  const file = join(directory, name)
  writeFileSync(file, `${text}exit $?\n#${'x'.repeat(Math.max(0, size - text.length))}\n`)
  chmodSync(file, 0o755)
  return {
    directory,
    file,
    path: `${directory}:${process.env.PATH}`,
    /** The arguments of each call so far. */
    calls: () => (existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : []),
  }
}
