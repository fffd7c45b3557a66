// Deploys the app: a process of its own, configured by environment variables alone.
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('app.mjs', import.meta.url))

/** The running app: emits `progress`; `finished` when the load is over; `summary()` then tells what it saw. */
export function runApp(env, settings) {
  const child = spawn(process.execPath, [program, JSON.stringify(settings)], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const events = new EventEmitter()
  const crashed = once(child, 'exit').then(([code]) => {
    throw new Error(`the app ended early, with exit code ${code}`)
  })
  child.on('message', (message) => {
    for (const [name, value] of Object.entries(message)) events.emit(name, value)
  })
  return {
    events,
    finished: Promise.race([once(events, 'finished'), crashed]),
    summary: async (refreshes) => {
      child.send({ refreshes })
      const [summary] = await Promise.race([once(events, 'summary'), crashed])
      crashed.catch(() => {})
      return summary
    },
  }
}
