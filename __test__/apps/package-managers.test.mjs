// Installed by npm, pnpm, Yarn and Bun, from a registry on this machine that has this version of all packages: what each puts there, that it
// runs, and that the command which the loader's error advises helps. The packages of other targets hold a text in place of an addon.
import assert from 'node:assert/strict'
import { execFile, execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe } from 'node:test'
import { promisify } from 'node:util'
import { readJson, root } from '../package/installation.mjs'
import { startRegistry } from '../package/registry.mjs'
import { deploy } from '../support/deployment.mjs'
import { test } from '../support/test.mjs'
import { run, succeed, temporaryDirectory } from './support/app.mjs'

const execute = promisify(execFile)
const { version } = readJson(root, 'package.json')
const [local] = readdirSync(join(root, 'npm/local')).filter((file) => file.endsWith('.node'))
const target = local.split('.')[1]
const platformPackage = `lakebase-native-${target}`
const elsewhere = 'lakebase-native-darwin-arm64'

const deployment = deploy()
const registry = await startRegistry()
const environment = registry.environment()
await publish()

async function publish() {
  const addons = temporaryDirectory('addons')
  for (const name of readdirSync(join(root, 'npm')).filter((folder) => folder !== 'local')) {
    mkdirSync(join(addons, name))
    const addon = join(addons, name, `lakebase-native.${name}.node`)
    if (name === target) copyFileSync(join(root, 'npm/local', local), addon)
    else writeFileSync(addon, 'the addon of another platform')
  }
  const tarballs = temporaryDirectory('tarballs')
  const node = (...args) => execute(process.execPath, args, { cwd: root, env: environment })
  await node('scripts/pack.mjs', tarballs, '--all', '--addons', addons)
  await node('scripts/publish.mjs', tarballs)
}

/** A package manager in a version of its own; resolves with the command that starts it. */
async function manager(name, ...packages) {
  const folder = join(root, 'node_modules/.cache/package-managers', name)
  if (!existsSync(join(folder, 'node_modules'))) {
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'package.json'), '{"private":true}')
    await execute('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages], { cwd: folder })
  }
  return join(folder, 'node_modules')
}

const pnpm = [process.execPath, join(await manager('pnpm', 'pnpm@10'), 'pnpm/bin/pnpm.cjs')]
const yarn = [process.execPath, join(await manager('yarn', '@yarnpkg/cli-dist@4'), '@yarnpkg/cli-dist/bin/yarn.js')]
const bun = [join(await manager('bun', `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}@1`), `@oven/bun-${process.platform}-${process.arch === 'arm64' ? 'aarch64' : process.arch}/bin/bun`)]

const yarnSettings = (linker) => ({
  '.yarnrc.yml': `nodeLinker: ${linker}\nnpmRegistryServer: "${registry.url}"\nunsafeHttpWhitelist: ["127.0.0.1"]\nenableTelemetry: false\nenableGlobalCache: false\nglobalFolder: .yarn/global\n`,
  // Makes the folder a project of its own.
  'yarn.lock': '',
})

/** @type {Record<string, { command: string[], files?: object, without?: string[], node?: string[], installed?: (app: string) => string[] }>} */
const managers = {
  npm: { command: ['npm'], without: ['--omit=optional'], installed: inNodeModules },
  'pnpm, strict': {
    command: pnpm,
    files: { '.npmrc': `registry=${registry.url}/\nstrict-peer-dependencies=true\n` },
    without: ['--no-optional'],
    installed: (app) => readdirSync(join(app, 'node_modules/.pnpm')).filter((name) => name.startsWith('lakebase-native-')).map((name) => name.split('@')[0]),
  },
  'Yarn, node_modules': { command: yarn, files: yarnSettings('node-modules'), installed: inNodeModules },
  'Yarn, Plug’n’Play': {
    command: yarn,
    files: yarnSettings('pnp'),
    node: [...yarn, 'node'],
    installed: (app) => readdirSync(join(app, '.yarn/unplugged')).filter((name) => name.startsWith('lakebase-native-')).map((name) => name.split('-npm-')[0]),
  },
  Bun: { command: bun, files: { 'bunfig.toml': `[install]\nregistry = "${registry.url}/"\n` }, without: ['--omit=optional'], installed: inNodeModules },
}

function inNodeModules(app) {
  return readdirSync(join(app, 'node_modules')).filter((name) => name.startsWith('lakebase-native-'))
}

const program = {
  'app.mjs': `
    import { createRequire } from 'node:module'
    import { createLakebasePool } from 'lakebase-native'
    import { Pool } from 'lakebase-native/pg'
    const pool = createLakebasePool()
    if (!(pool instanceof createRequire(import.meta.url)('lakebase-native/pg').Pool) || !(pool instanceof Pool)) throw new Error('two copies')
    const { rows } = await pool.query("select 'a row' as found")
    await pool.end()
    console.log(rows[0].found)`,
}

/** An app that depends on this version, not yet installed. */
function createApp({ files = {} } = {}) {
  const app = temporaryDirectory('manager')
  const manifest = { name: 'app', version: '1.0.0', private: true, type: 'module', dependencies: { 'lakebase-native': version } }
  for (const [file, content] of Object.entries({ 'package.json': JSON.stringify(manifest), ...program, ...files })) writeFileSync(join(app, file), content)
  return app
}

const install = (app, { command: [start, ...before] }, ...options) => succeed(run(app, start, [...before, 'install', ...options], { env: environment }))

function start(app, { node: [node, ...before] = [process.execPath] }) {
  return run(app, node, [...before, 'app.mjs'], { env: { ...environment, ...deployment.emulator.env } })
}

/** Runs the command at the end of the error's text, as the user would. */
async function follow(output, app, { command: [program, ...before] }) {
  const [, advised] = /^(?:Install|Add) it: (.*)$/m.exec(output) ?? assert.fail(output)
  const [, ...args] = advised.split(' ')
  return succeed(run(app, program, [...before, ...args], { env: environment }))
}

for (const [name, one] of Object.entries(managers)) {
  describe(name, () => {
    test('installs the addon of this platform alone, and the app runs', async () => {
      const app = createApp(one)
      await install(app, one)
      assert.deepEqual(one.installed(app), [platformPackage])
      assert.equal((await succeed(start(app, one))).trim(), 'a row')
    })

    if (!one.without) return
    test('without optional dependencies the app does not run, and does after the command that the error advises', async () => {
      const app = createApp(one)
      await install(app, one, ...one.without)
      assert.deepEqual(one.installed(app), [])
      const { code, output } = await start(app, one)
      assert.equal(code, 1)
      assert.match(output, new RegExp(`${platformPackage}: not installed`))
      await follow(output, app, one)
      assert.equal((await succeed(start(app, one))).trim(), 'a row')
    })
  })
}

describe('npm', () => {
  test('packages that were installed for another platform', async () => {
    const app = createApp()
    await install(app, managers.npm, '--os=darwin', '--cpu=arm64')
    assert.deepEqual(inNodeModules(app), [elsewhere])
    const { code, output } = await start(app, managers.npm)
    assert.equal(code, 1)
    assert.match(output, new RegExp(`Instead, ${elsewhere} is there`))
    await follow(output, app, managers.npm)
    assert.deepEqual(inNodeModules(app), [platformPackage])
    assert.equal((await succeed(start(app, managers.npm))).trim(), 'a row')
  })

  test('a lockfile that leaves this platform’s package out, as npm’s defect 4828 makes it', async () => {
    const app = createApp()
    await install(app, managers.npm, '--os=darwin', '--cpu=arm64')
    const lockfile = JSON.parse(readFileSync(join(app, 'package-lock.json'), 'utf8'))
    const path = `node_modules/${platformPackage}`
    assert.ok(lockfile.packages[path], 'npm itself names every platform')
    delete lockfile.packages[path]
    delete lockfile.packages['node_modules/lakebase-native'].optionalDependencies[platformPackage]
    writeFileSync(join(app, 'package-lock.json'), JSON.stringify(lockfile))
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: app, env: environment, stdio: 'pipe' })
    const { output } = await start(app, managers.npm)
    assert.match(output, new RegExp(`package-lock.json does not name ${platformPackage}: it was made on another platform, or by an npm`))
    await follow(output, app, managers.npm)
    assert.equal((await succeed(start(app, managers.npm))).trim(), 'a row')
  })
})
