/** Child processes that answer calls over IPC: `Child` on the caller's side, `answer` on the child's. */

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** Variables that some driver, TLS stack or HTTP client reads: a child sees none but those it is given. */
const CONFIGURATION =
  /^((PG|DATABRICKS_|LAKEBASE_|ARM_|AZURE_|OTEL_|SSL_CERT_).*|DATABASE_URL|NODE_OPTIONS|NODE_EXTRA_CA_CERTS|(HTTPS?|ALL|NO)_PROXY)$/i

/**
 * This process' environment without anything that configures a driver, plus `additions`.
 * @param {Record<string, string>} additions
 * @returns {Record<string, string>}
 */
export function plainEnvironment(additions = {}) {
  const inherited = Object.entries(process.env).filter(([name]) => !CONFIGURATION.test(name))
  return /** @type {Record<string, string>} */ ({ ...Object.fromEntries(inherited), ...additions })
}

export class Child {
  #process
  #calls = 0
  /** @type {Map<number, { resolve: (result: any) => void, reject: (error: Error) => void }>} */
  #pending = new Map()

  /**
   * @param {string} module the child's entry, relative to bench/
   * @param {string[]} args
   * @param {Record<string, string>} environment additions to the plain environment
   */
  constructor(module, args = [], environment = {}) {
    this.name = [module, ...args].join(' ')
    this.#process = fork(fileURLToPath(new URL(module, import.meta.url)), args, {
      env: plainEnvironment(environment),
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#process.on('message', (/** @type {any} */ { id, result, error }) => {
      const call = this.#pending.get(id)
      this.#pending.delete(id)
      if (error) call?.reject(new Error(`${this.name}: ${error}`))
      else call?.resolve(result)
    })
    this.#process.on('error', (error) => this.#fail(error))
    this.#process.on('exit', (code, signal) => this.#fail(new Error(`${this.name} ended early (${signal ?? `code ${code}`})`)))
  }

  /** @param {Error} error */
  #fail(error) {
    for (const { reject } of this.#pending.values()) reject(error)
    this.#pending.clear()
  }

  /**
   * Calls the child's handler `name` and resolves to what it returned.
   * @param {string} name
   * @param {unknown} argument
   * @param {number} timeoutMillis
   * @returns {Promise<any>}
   */
  call(name, argument = undefined, timeoutMillis = 60_000) {
    const id = this.#calls++
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`${this.name}: no answer to ${name} within ${timeoutMillis} ms`)), timeoutMillis)
      const settled = () => clearTimeout(timer)
      this.#pending.set(id, {
        resolve: (result) => (settled(), resolve(result)),
        reject: (error) => (settled(), reject(error)),
      })
      if (!this.#process.connected) return this.#fail(new Error(`${this.name} is not running`))
      this.#process.send({ id, name, argument }, (error) => error && this.#fail(error))
    })
  }

  /** Ends the child: its `stop` handler runs, and it is killed if that takes more than five seconds. */
  async stop() {
    const child = this.#process
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    if (child.connected) child.disconnect()
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await exited
    clearTimeout(timer)
  }
}

/**
 * Serves calls from the parent for as long as the channel is open; then runs `stop` and exits, also when the parent was killed.
 * @param {Record<string, (argument: any) => unknown>} handlers
 */
export function answer({ stop = () => {}, ...handlers }) {
  process.on('message', async (/** @type {any} */ { id, name, argument }) => {
    try {
      process.send?.({ id, result: await handlers[name](argument) })
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
  // A Ctrl-C reaches the whole process group; the parent decides when its children end.
  process.on('SIGINT', () => {})
  process.on('disconnect', async () => {
    try {
      await stop(undefined)
    } finally {
      process.exit()
    }
  })
}
