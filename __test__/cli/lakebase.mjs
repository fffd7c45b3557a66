// The command line as a user runs it: the package's `bin`, in a process and a folder of its own, with nothing of this process's environment.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'

const require = createRequire(import.meta.url)
const manifest = require.resolve('lakebase-native/package.json')

export const root = dirname(manifest)

/** The program that package.json names. */
export const program = join(root, JSON.parse(readFileSync(manifest, 'utf8')).bin.lakebase)

/** An empty folder to run in, removed after the file's tests. */
export function folder() {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'lakebase-cli-')))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** What every process finds in its environment. */
export function surroundings(cwd, env = {}) {
  const { PATH } = process.env
  return Object.fromEntries(Object.entries({ PATH, HOME: cwd, ...env }).filter(([, value]) => value !== undefined))
}

/** Starts `lakebase` with these arguments; `ended` resolves when it is gone. */
export function start(args, { cwd, env, execArgv = [], stdin = 'ignore' } = {}) {
  const child = spawn(process.execPath, [...execArgv, program, ...args], { cwd, env: surroundings(cwd, env), stdio: [stdin, 'pipe', 'pipe'] })
  const running = { process: child, stdout: '', stderr: '', ended: undefined }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (running[name] += text))
  running.ended = once(child, 'close').then(([code, signal]) => ({ code, signal, stdout: running.stdout, stderr: running.stderr }))
  return running
}

/** Runs it to its end. */
export const lakebase = (args, options) => start(args, options).ended

/** What `--json` printed; an error that shows everything where it is not one JSON value on one line. */
export function json({ stdout, stderr }) {
  try {
    if (!/^[^\n]+\n$/.test(stdout)) throw new Error('not one line')
    return JSON.parse(stdout)
  } catch (cause) {
    throw new Error(`no JSON on standard output:\n${stdout}\n${stderr}`, { cause })
  }
}
