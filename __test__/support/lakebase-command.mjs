// The command `lakebase` in a process of its own, which goes on until somebody ends it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const { bin } = (await import('lakebase-native/package.json', { with: { type: 'json' } })).default

/** The program that package.json names. */
export const lakebase = join(root, bin.lakebase)

/** Variables that would tell the command where to connect, or how to print. */
const OURS = /^(PG|LAKEBASE_|DATABRICKS_|NODE_EXTRA_CA_CERTS$|NODE_TEST_CONTEXT$|NODE_OPTIONS$|NO_COLOR$|FORCE_COLOR$|CI$)/

/** This process's environment without what would lead the command somewhere. */
export function plainEnvironment(env = {}) {
  return { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !OURS.test(name))), ...env }
}

/** Starts it. `t`: the test at whose end it is ended if it still runs. */
export function startLakebase(t, args, { env = {}, cwd = root, stdin = 'ignore' } = {}) {
  const child = spawn(process.execPath, [lakebase, ...args], { cwd, env: plainEnvironment(env), stdio: [stdin, 'pipe', 'pipe'] })
  t.after(async () => {
    // In order, so that what it runs is gone, too.
    child.kill('SIGTERM')
    const killer = setTimeout(() => child.kill('SIGKILL'), 60_000)
    await started.ended
    clearTimeout(killer)
  })
  const started = {
    process: child,
    stdout: '',
    stderr: '',
    /** Resolves when the process is gone and its output complete. */
    ended: once(child, 'close').then(([code, signal]) => ({ code, signal, stdout: started.stdout, stderr: started.stderr })),
    /** Waits until `stream` holds something that matches; what matched. */
    async printed(pattern, stream = 'stdout') {
      for (;;) {
        const found = pattern.exec(started[stream])
        if (found) return found
        const ended = await Promise.race([once(child[stream], 'data').then(() => null), started.ended])
        if (ended && !pattern.test(started[stream])) throw new Error(`lakebase ${args[0]} ended with ${ended.code ?? ended.signal} and did not print ${pattern}:\n${ended.stdout}${ended.stderr}`)
      }
    },
    /** The lines of JSON so far. */
    events: () => started.stdout.split('\n').filter(Boolean).map((line) => JSON.parse(line)),
    /** Waits for a line of JSON for which this is true. */
    async event(fits) {
      for (;;) {
        const found = started.stdout.slice(0, started.stdout.lastIndexOf('\n') + 1).split('\n').filter(Boolean).map((line) => JSON.parse(line)).find(fits)
        if (found) return found
        const ended = await Promise.race([once(child.stdout, 'data').then(() => null), started.ended])
        if (ended) throw new Error(`lakebase ${args[0]} ended with ${ended.code ?? ended.signal}:\n${ended.stdout}${ended.stderr}`)
      }
    },
  }
  for (const name of ['stdout', 'stderr']) child[name].setEncoding('utf8').on('data', (text) => (started[name] += text))
  return started
}

/** Runs it to its end. */
export function runLakebase(t, args, options) {
  return startLakebase(t, args, options).ended
}
