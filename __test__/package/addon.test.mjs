// How the addon is found: by Node.js, by the file tracer of Vercel and Next.js; and what is said when it is not there.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { nodeFileTrace } from '@vercel/nft'
import { install, readJson, run, root, temporaryDirectory } from './installation.mjs'

const app = await install()
const { version } = readJson(root, 'package.json')
const report = process.report.getReport().header
const platform = process.platform === 'linux' ? `linux-${process.arch}-${report.glibcVersionRuntime ? 'gnu' : 'musl'}` : undefined

for (const [module, program] of [
  ['handler.cjs', "const { Pool } = require('lakebase-native/pg'); const { createLakebasePool } = require('lakebase-native')"],
  ['handler.mjs', "import { Pool } from 'lakebase-native/pg'; import { createLakebasePool } from 'lakebase-native'"],
]) {
  test(`the files that @vercel/nft traces from ${module}, copied elsewhere, hold all it needs`, async () => {
    writeFileSync(join(app, module), `${program}\nconsole.log(typeof createLakebasePool, typeof new Pool({ host: '127.0.0.1' }).query)\n`)
    const { fileList } = await nodeFileTrace([join(app, module)], { base: app })
    assert.ok([...fileList].some((file) => file.endsWith('.node')), 'the addon is traced')
    const deployed = temporaryDirectory()
    for (const file of fileList) {
      mkdirSync(dirname(join(deployed, file)), { recursive: true })
      cpSync(join(app, file), join(deployed, file))
    }
    assert.equal(await run(deployed, [module]), 'function function')
  })
}

test('the loader names every platform package in full, so that tracers and bundlers find it', () => {
  const loader = readFileSync(join(root, 'dist', 'core.js'), 'utf8')
  const named = [...loader.matchAll(/require\("lakebase-native-([a-z0-9-]+)"\)/g)].map(([, target]) => target)
  assert.deepEqual(named.sort(), ['darwin-arm64', 'darwin-x64', 'linux-arm64-gnu', 'linux-arm64-musl', 'linux-x64-gnu', 'linux-x64-musl', 'win32-x64-msvc'])
})

/** The first error line and what follows of a program that fails to load the package. */
async function failureIn(directory, before = '') {
  const failed = await run(directory, ['-e', `${before};require('lakebase-native')`]).then(
    () => assert.fail('it loaded'),
    (error) => error.stderr,
  )
  return failed
}

test('without its platform package the error says what was tried and the one command that helps', async () => {
  const bare = temporaryDirectory()
  cpSync(app, bare, { recursive: true, filter: (path) => !/lakebase-native-(linux|darwin|win32)/.test(path) })
  const message = await failureIn(bare)
  assert.match(message, new RegExp(`cannot load its addon on ${process.platform}-${process.arch}`))
  assert.match(message, /lakebase-native-[a-z0-9-]+: not installed/)
  assert.match(message, /--omit=optional/)
  if (platform) assert.ok(message.includes(`npm install --no-save lakebase-native-${platform}@${version}`), message)
})

test('an addon that this system cannot load is named with the system\'s reason', async () => {
  const broken = temporaryDirectory()
  cpSync(app, broken, { recursive: true })
  const name = readJson(broken, 'package.json').dependencies && Object.keys(readJson(broken, 'package.json').dependencies).find((key) => key !== 'lakebase-native')
  const file = join(broken, 'node_modules', name, readJson(broken, 'node_modules', name, 'package.json').main)
  rmSync(file)
  writeFileSync(file, 'no addon')
  const message = await failureIn(broken)
  assert.match(message, new RegExp(`${name}: .*(invalid ELF|not a mach-o|file too short|not a valid)`, 'i'))
  assert.match(message, /is installed but cannot be loaded by this system/)
})

test('a platform without an addon is told so', async () => {
  const message = await failureIn(app, "Object.defineProperty(process, 'arch', { value: 'riscv64' }); Object.defineProperty(process, 'platform', { value: 'freebsd' })")
  assert.match(message, /does not support freebsd-riscv64 .*: it runs on Linux \(x64, arm64; glibc or musl\), macOS \(arm64, x64\) and Windows \(x64\)/)
})
