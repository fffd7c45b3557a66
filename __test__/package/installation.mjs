// The package as users get it: packed, and installed by npm into an empty app outside this checkout.
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const execute = promisify(execFile)

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export const readJson = (...path) => JSON.parse(readFileSync(join(...path), 'utf8'))

/** A new directory that is removed after the file's tests. */
export function temporaryDirectory() {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'lakebase-native-package-')))
  after(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Packs what this checkout has built; resolves with the paths of the platform package's tarball and the main one. */
export async function pack(directory = temporaryDirectory()) {
  const { stdout } = await execute(process.execPath, [join(root, 'scripts/pack.mjs'), directory])
  const tarballs = stdout.trim().split('\n')
  return { platform: tarballs[0], main: tarballs.at(-1) }
}

/** Installs the tarballs as an app would, without install scripts; resolves with the app's directory. */
export async function install() {
  const directory = temporaryDirectory()
  const { platform, main } = await pack(directory)
  const app = join(directory, 'app')
  mkdirSync(app)
  writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true }))
  const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  await execute('npm', ['install', ...options, main, platform], { cwd: app, shell: process.platform === 'win32' })
  return app
}

/** Runs a program in the app; resolves with what it prints, rejects when it fails. */
export async function run(app, args) {
  const { stdout } = await execute(process.execPath, args, { cwd: app, env: { ...process.env, NODE_TEST_CONTEXT: undefined } })
  return stdout.trim()
}
