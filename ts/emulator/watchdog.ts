/**
 * Ends PostgreSQL and removes its directory when this process is gone, however it went: exit, crash or SIGKILL.
 *
 * A small shell waits on a pipe that only this process holds open; the end of the pipe is the end of the process. Windows has
 * no such shell, so there PostgreSQL is ended on an orderly exit only.
 */

import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { join } from 'node:path'

export interface Watchdog {
  /** The process to end from now on, in place of the one named before. Undefined: none. */
  guard(pid: number | undefined): void
  /** Everything is already gone: stops watching. */
  dismiss(): void
}

/**
 * `$1` is the directory to remove, `$2` the one with the data, which may lie elsewhere and then stays. Each line read is a process id, or empty for none; `done` means that nothing is left to do. The process leads a
 * group, which initdb's own children are in. PostgreSQL removes postmaster.pid as its last act; its process id may stay for ever where
 * nobody reaps orphans, as in many containers. A server that is killed in the end takes a moment to write its last file.
 */
const script = `
trap '' HUP INT TERM
pid=
while read -r line; do
  [ "$line" = done ] && exit 0
  pid=$line
done
if [ -n "$pid" ]; then
  kill -QUIT "-$pid"
  tries=0
  while [ -e "$2/postmaster.pid" ] && [ $tries -lt 100 ]; do
    tries=$((tries + 1))
    sleep 0.1
  done
  kill -KILL "-$pid"
fi
tries=0
until rm -rf "$1" || [ $tries -ge 100 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
`

export function watch(directory: string, owner: { uid?: number; gid?: number }, dataDir = join(directory, 'data')): Watchdog {
  if (process.platform === 'win32') return watchExit(directory)
  const shell = spawn('/bin/sh', ['-c', script, 'lakebase-emulator-watchdog', directory, dataDir], {
    ...owner,
    cwd: '/',
    detached: true,
    env: { PATH: process.env['PATH'] ?? '' },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Without a shell only the protection is lost, not the emulator.
  shell.on('error', () => {})
  shell.stdin.on('error', () => {})
  shell.unref()
  // A child's pipe is a socket, which the stream's type does not say; in Bun it is another stream.
  const pipe = shell.stdin as Writable & Partial<Pick<Socket, 'unref'>>
  pipe.unref?.()
  return {
    guard: (pid) => void pipe.write(`${pid ?? ''}\n`),
    dismiss: () => void pipe.end('done\n'),
  }
}

function watchExit(directory: string): Watchdog {
  let guarded: number | undefined
  const end = (): void => {
    try {
      if (guarded !== undefined) process.kill(guarded)
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
    } catch {
      // Already gone, or still in use: nobody is left to tell.
    }
  }
  process.once('exit', end)
  return { guard: (pid) => void (guarded = pid), dismiss: () => void process.off('exit', end) }
}
