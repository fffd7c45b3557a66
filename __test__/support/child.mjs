// Programs in a process of their own: for exits, signals, memory, and what a process prints.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/**
 * Runs the function `main` in a new process, where it must find everything in its arguments (which cross as JSON) and by import().
 * The environment is this process's, with changes.
 */
export function start(main, { args = [], env = {}, execArgv = [] } = {}) {
  const program = `await (${main})(...${JSON.stringify(args)})`
  const spawned = spawn(process.execPath, [...execArgv, '--input-type=module', '--eval', program], {
    // The package's own name resolves from here.
    cwd: root,
    // The test runner's own variables change how a process prints.
    env: { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const child = {
    process: spawned,
    stdout: '',
    stderr: '',
    /** The next value that the program passes to process.send(); an error when it ends instead. */
    message: () => Promise.race([once(spawned, 'message').then(([value]) => value), child.ended.then(endedEarly)]),
    /** Resolves when the process is gone and its output complete. */
    ended: once(spawned, 'close').then(([code, signal]) => ({ code, signal, stdout: child.stdout, stderr: child.stderr })),
  }
  for (const name of ['stdout', 'stderr']) spawned[name].setEncoding('utf8').on('data', (text) => (child[name] += text))
  return child
}

function endedEarly({ code, signal, stderr }) {
  throw new Error(`the program ended without a message, with ${signal ?? `exit code ${code}`}:\n${stderr}`)
}

/** Runs it to its end. */
export function run(main, options) {
  return start(main, options).ended
}
