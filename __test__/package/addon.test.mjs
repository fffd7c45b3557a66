// How the addon is found: by Node.js, by the file tracer of Vercel and Next.js; and what is said when it is not there.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
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

/** The app without its platform package; `change` does more to it. Resolves with the error's text. */
async function withoutAddon(change = () => {}) {
  const bare = temporaryDirectory()
  cpSync(app, bare, { recursive: true, filter: (path) => !/lakebase-native-(linux|darwin|win32)/.test(path) })
  change((file, content) => {
    mkdirSync(dirname(join(bare, file)), { recursive: true })
    if (content === undefined) rmSync(join(bare, file))
    else writeFileSync(join(bare, file), content)
  })
  return failureIn(bare)
}

describe('without its platform package the error says what was tried, why that is so, and the one command that helps', () => {
  const needed = `lakebase-native-${platform ?? (process.platform === 'win32' ? `win32-${process.arch}-msvc` : `${process.platform}-${process.arch}`)}`
  const names = `{ "${needed}": {} }`

  test('left out on installing', async () => {
    const message = await withoutAddon()
    assert.match(message, new RegExp(`cannot load its addon on ${process.platform}-${process.arch}`))
    if (report.glibcVersionRuntime) assert.ok(message.includes(`with glibc ${report.glibcVersionRuntime} (Node.js ${process.version})`), message)
    assert.match(message, new RegExp(`${needed}: not installed`))
    assert.match(message, /package-lock\.json names .*: it was left out on installing, as optional dependencies are with --omit=optional or --no-optional/)
    assert.match(message, /Install it: npm ci --include=optional$/m)
  })

  test('left out by a setting of the project', async () => {
    const message = await withoutAddon((write) => write('.npmrc', 'fund=false\nomit=optional\n'))
    assert.match(message, /left out on installing, as optional dependencies are with "omit=optional" in .*\.npmrc/)
  })

  test('not in the lockfile', async () => {
    const message = await withoutAddon((write) => write('package-lock.json', '{}'))
    assert.match(message, new RegExp(`package-lock\\.json does not name ${needed}: it was made on another platform, or by an npm that`))
    assert.ok(message.includes(`Add it: npm install --save-optional ${needed}@${version}\n`), message)
  })

  test('installed on another platform', async () => {
    const other = needed === 'lakebase-native-win32-x64-msvc' ? 'lakebase-native-darwin-arm64' : 'lakebase-native-win32-x64-msvc'
    const message = await withoutAddon((write) => {
      write(`node_modules/${other}/package.json`, '{}')
      write('package-lock.json', names)
    })
    assert.ok(message.includes(`Instead, ${other} is there: the packages were installed on another platform, or for one.`), message)
    assert.match(message, /Install it: npm ci --include=optional$/m)
  })

  for (const [manager, lockfile, again, add] of [
    ['pnpm', 'pnpm-lock.yaml', 'pnpm install --force', 'pnpm add --save-optional'],
    ['Yarn', 'yarn.lock', 'yarn install', 'yarn add --optional'],
    ['Bun', 'bun.lock', 'bun install --force', 'bun add --optional'],
  ]) {
    test(`with ${manager}`, async () => {
      const change = (content) => (write) => {
        write('package-lock.json')
        write(lockfile, content)
      }
      assert.ok((await withoutAddon(change(names))).includes(`Install it: ${again}\n`))
      assert.ok((await withoutAddon(change(''))).includes(`Add it: ${add} ${needed}@${version}\n`))
    })
  }

  test('without a lockfile, as where an app is deployed', async () => {
    const message = await withoutAddon((write) => write('package-lock.json'))
    assert.match(message, /missing where optional dependencies are left out \(--omit=optional, --no-optional\), where packages of another platform were copied/)
    assert.ok(message.includes(`npm install --no-save ${needed}@${version}`), message)
  })
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
