// An app of a user: a folder outside this checkout, with the packed tarballs and its own dependencies installed by npm.
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { after } from 'node:test'
import { promisify } from 'node:util'
import { pack, readJson, root } from '../../package/installation.mjs'

const execute = promisify(execFile)

/** A new directory that is removed after the file's tests. */
export function temporaryDirectory(name = 'app') {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), `lakebase-native-${name}-`)))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/**
 * Makes an app. `from`: a folder of the repository to copy, whose package.json names its dependencies. `dependencies`: names and versions to
 * install, in place of those. `devDependencies`: what only the test needs. `overrides`: npm's. `files`: their contents by path.
 */
export async function createApp({ from, dependencies = {}, devDependencies = {}, overrides, files = {}, type }) {
  const directory = temporaryDirectory()
  const app = join(directory, 'app')
  mkdirSync(app)
  if (from) cpSync(join(root, from), app, { recursive: true, filter: (path) => !/[/\\](node_modules|\.next|dist)$/.test(path) })
  const given = from ? readJson(app, 'package.json') : { name: 'app', version: '1.0.0', private: true, ...(type ? { type } : {}), dependencies }
  const tarballs = await pack(directory)
  const platform = /^lakebase-native-(.+)-\d+\.\d+\.\d+.*\.tgz$/.exec(basename(tarballs.platform))[1]
  given.dependencies = {
    ...given.dependencies,
    ...dependencies,
    'lakebase-native': `file:${tarballs.main}`,
    [`lakebase-native-${platform}`]: `file:${tarballs.platform}`,
  }
  given.devDependencies = { ...given.devDependencies, ...devDependencies }
  if (overrides) given.overrides = overrides
  writeFileSync(join(app, 'package.json'), JSON.stringify(given, null, 2))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(app, path)), { recursive: true })
    writeFileSync(join(app, path), content)
  }
  await execute('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'], { cwd: app, maxBuffer: 1 << 26 })
  return app
}

/** The installed version of a package. */
export const versionOf = (app, name) => JSON.parse(readFileSync(join(app, 'node_modules', name, 'package.json'), 'utf8')).version

/** This process's variables without those of the test runner. */
function environment(env) {
  return { ...process.env, NODE_TEST_CONTEXT: undefined, NODE_OPTIONS: undefined, FORCE_COLOR: '0', NEXT_TELEMETRY_DISABLED: '1', ...env }
}

/** Runs a program to its end. Resolves with its exit code and all it printed. */
export async function run(directory, program, args, { env = {} } = {}) {
  const child = spawn(program, args, { cwd: directory, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const [code] = await once(child, 'close')
  return { code, output }
}

/** Runs a command of the app's dependencies, as `npx` would. */
export const npx = (app, command, args, options) => run(app, join(app, 'node_modules', '.bin', command), args, options)

/** Runs a command that must succeed; resolves with what it printed. */
export async function succeed(outcome) {
  const { code, output } = await outcome
  if (code !== 0) throw new Error(`exit code ${code}:\n${output}`)
  return output
}

/** Starts a server; resolves when `ready` matches its output. It is ended after the file's tests. */
export async function serve(directory, program, args, { env = {}, ready }) {
  const child = spawn(program, args, { cwd: directory, env: environment(env), stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  const server = { process: child, output: '', stop }
  async function stop(signal = 'SIGTERM') {
    if (child.exitCode !== null || child.signalCode !== null) return
    try {
      // The whole group: package managers and frameworks start servers as children.
      process.kill(-child.pid, signal)
    } catch {}
    await once(child, 'close')
  }
  after(() => stop('SIGKILL'))
  await new Promise((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        server.output += text
        if (ready.test(server.output)) resolve()
      })
    }
    child.once('close', (code) => reject(new Error(`the server ended with exit code ${code}:\n${server.output}`)))
  })
  return server
}
