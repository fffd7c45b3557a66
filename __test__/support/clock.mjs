// A process whose clocks a test can move (Linux: it interposes the C library's clock_gettime).
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'

const source = fileURLToPath(new URL('clock.c', import.meta.url))

/** `env` for the process; `move` adds seconds to its wall clock and to its monotonic clock. */
export function movableClock() {
  const directory = mkdtempSync(join(tmpdir(), 'lakebase-clock-'))
  after(() => rmSync(directory, { recursive: true, force: true }))
  const library = join(directory, 'clock.so')
  const file = join(directory, 'offsets')
  execFileSync('cc', ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl'])
  const move = ({ wall, monotonic }) => writeFileSync(file, new BigInt64Array([BigInt(wall), BigInt(monotonic)]), { flag: 'r+' })
  writeFileSync(file, new BigInt64Array(2))
  return { env: { LD_PRELOAD: library, CLOCK_FILE: file }, move }
}
