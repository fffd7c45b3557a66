// docs/hosts.md: its code, on the packed package; and the addon that npm chooses for another machine than its own.
import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { blocksOf } from '../documents/blocks.mjs'
import { pack, readJson, root } from '../package/installation.mjs'
import { startRegistry } from '../package/registry.mjs'
import { deploy } from '../support/deployment.mjs'
import { createApp, run, succeed, temporaryDirectory } from './support/app.mjs'

const page = readFileSync(join(root, 'docs/hosts.md'), 'utf8')
const blocks = blocksOf(page, 'docs/hosts.md')
const blockWith = (text) => blocks.find((block) => block.text.includes(text)).text

const deployment = deploy({ sql: "create table items (id serial primary key, name text not null); insert into items (name) values ('lamp')" })
const app = await createApp({
  dependencies: { '@azure/functions': 'file:./azure' },
  files: {
    'pool.mjs': `${blockWith('pool.warm()')}\nconsole.log(pool.idleCount)\nawait pool.end()\n`,
    'functions.cjs': blockWith('@azure/functions'),
    // The host's side of Azure's programming model: it takes what a function registers.
    'azure/package.json': '{ "name": "@azure/functions", "version": "4.0.0" }',
    'azure/index.js': 'exports.app = { http: (name, options) => { exports.registered = { name, options } } }\n',
    'azure.cjs': `require('./functions.cjs')
const { registered } = require('@azure/functions')
registered.options.handler().then((answer) => console.log(registered.name, JSON.stringify(answer)))
`,
    'server.mjs': `import { createServer } from 'node:http'
import { createLakebasePool } from 'lakebase-native'
const pool = createLakebasePool({ idleTimeoutMillis: 0 })
const server = createServer(() => {}).listen(0)
${blockWith('SIGTERM')}
await pool.query('select 1')
process.once('exit', () => console.log('ended', pool.ended))
process.kill(process.pid, 'SIGTERM')
`,
  },
})
const execute = (file, env = {}) => succeed(run(app, process.execPath, [file], { env: { ...deployment.emulator.env, ...env } }))

test('a pool is warm before the first request', async () => {
  assert.equal(await execute('pool.mjs'), '1\n')
})

test('a function of Azure answers, and its idle connection keeps no process alive', async () => {
  assert.equal(await execute('azure.cjs', { FUNCTIONS_WORKER_RUNTIME: 'node' }), 'items {"jsonBody":[{"id":1,"name":"lamp"}]}\n')
})

test('a container that is told to stop ends the pool', async () => {
  assert.equal(await execute('server.mjs'), 'ended true\n')
})

test('the Dockerfile has a Node.js that is supported, and installs in the image', () => {
  const { text } = blocks.find(({ language }) => language === 'dockerfile')
  const [, major] = /^FROM node:(\d+)-slim$/m.exec(text)
  assert.ok(Number(major) >= Number(/\d+/.exec(readJson(root, 'package.json').engines.node)[0]))
  assert.match(text, /^RUN npm ci --omit=dev$/m)
})

test('npm chooses the addon for the processor, system and C library that it is told', async () => {
  const directory = temporaryDirectory('platforms')
  const { main } = await pack(directory)
  const registry = await startRegistry()
  const env = registry.environment()
  // Every platform's package, with an empty file for the addon, and the main package that names all of them.
  const targets = ['linux-arm64-gnu', 'linux-arm64-musl', 'linux-x64-gnu', 'linux-x64-musl']
  for (const target of targets) {
    const stage = join(directory, target)
    cpSync(join(root, 'npm', target, 'package.json'), join(stage, 'package.json'))
    writeFileSync(join(stage, readJson(stage, 'package.json').main), '')
    await succeed(run(stage, 'npm', ['publish', '--ignore-scripts', '--access', 'public'], { env }))
  }
  await succeed(run(directory, 'tar', ['-xzf', main]))
  const manifest = readJson(directory, 'package/package.json')
  manifest.optionalDependencies = Object.fromEntries(targets.map((target) => [`lakebase-native-${target}`, manifest.version]))
  writeFileSync(join(directory, 'package/package.json'), JSON.stringify(manifest))
  await succeed(run(join(directory, 'package'), 'npm', ['publish', '--ignore-scripts', '--access', 'public'], { env }))

  for (const [cpu, libc, expected] of [['arm64', 'glibc', 'linux-arm64-gnu'], ['x64', 'glibc', 'linux-x64-gnu'], ['arm64', 'musl', 'linux-arm64-musl']]) {
    const user = join(directory, `user-${expected}`)
    mkdirSync(user)
    writeFileSync(join(user, 'package.json'), JSON.stringify({ name: 'user', private: true, dependencies: { 'lakebase-native': manifest.version } }))
    await succeed(run(user, 'npm', ['install', '--cpu', cpu, '--os', 'linux', '--libc', libc, '--ignore-scripts', '--no-audit', '--no-fund'], { env }))
    const chosen = targets.filter((target) => existsSync(join(user, 'node_modules', `lakebase-native-${target}`)))
    assert.deepEqual(chosen, [expected])
  }
})
