// Bundlers: an app is bundled, its output alone is copied elsewhere, and answers a query there. Where a bundler needs a setting, docs/bundlers.md
// names that one line, and without it the app fails with a text that leads there.
import assert from 'node:assert/strict'
import { cpSync, existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { deploy } from '../support/deployment.mjs'
import { createApp, npx, run, succeed, temporaryDirectory, versionOf } from './support/app.mjs'

const deployment = deploy()

const modern = `import { createLakebasePool } from 'lakebase-native'
import pg from 'lakebase-native/pg'
const pool = createLakebasePool()
const { rows } = await pool.query('select $1::int + 1 as n', [41])
await pool.end()
console.log(JSON.stringify([rows, typeof pg.Pool]))
`
// CommonJS has no await at the top.
const plain = modern.replace('const pool', 'async function main() {\nconst pool').concat('}\nmain()\n')

const webpackConfig = (output) =>
  `module.exports = { mode: 'production', target: 'node', entry: './src/plain.mjs', output: { path: __dirname + '/${output}', filename: 'main.js' } }\n`

const app = await createApp({
  dependencies: {
    webpack: '^5.112.0', 'webpack-cli': '^7.0.0', '@rspack/core': '^2.3.0', '@rspack/cli': '^2.2.0', esbuild: '^0.28.0', rollup: '^4.60.0',
    '@rollup/plugin-node-resolve': '^16.0.0', '@rollup/plugin-commonjs': '^29.0.0', '@rollup/plugin-json': '^6.0.0', vite: '^8.3.0', tsup: '^9.0.0',
    '@vercel/ncc': '^0.45.0', bun: '^1.4.0', typescript: '^5.9.0', tslib: '^2.0.0',
  },
  files: {
    'src/modern.mjs': modern,
    'src/plain.mjs': plain,
    'src/plain.ts': plain,
    'webpack.config.cjs': webpackConfig('out/webpack'),
    'rspack.config.cjs': webpackConfig('out/rspack'),
    'vite.bundle-all.config.mjs': 'export default { ssr: { noExternal: true } }\n',
  },
})

/** What the output prints where only it was copied to. `packages`: node_modules go along, as when a bundler leaves packages outside. */
async function outputOf(file, { packages = false, program = process.execPath } = {}) {
  const elsewhere = temporaryDirectory('bundle')
  const [folder, name] = [join(file, '..'), file.split('/').at(-1)]
  cpSync(join(app, folder), join(elsewhere, 'bundle'), { recursive: true })
  // Bundles are moved without the package.json that said which kind of module they are.
  if (name.endsWith('.js')) writeFileSync(join(elsewhere, 'package.json'), JSON.stringify({ type: file.includes('bun') ? 'module' : 'commonjs' }))
  if (packages) symlinkSync(join(app, 'node_modules'), join(elsewhere, 'node_modules'), 'junction')
  return run(join(elsewhere, 'bundle'), program, [name], { env: deployment.emulator.env })
}

async function answers(file, options) {
  assert.match(await succeed(outputOf(file, options)), /\[\[\{"n":42\}\],"function"\]/)
}

const leftBehind = /Keep lakebase-native out of the bundle: .*external in Rollup, ssr\.external in Vite/

test('webpack bundles the addon', async (t) => {
  await succeed(npx(app, 'webpack', ['--config', 'webpack.config.cjs']))
  await answers('out/webpack/main.js')
  t.diagnostic(`webpack ${versionOf(app, 'webpack')}`)
})

test('Rspack bundles the addon', async (t) => {
  await succeed(npx(app, 'rspack', ['build', '--config', 'rspack.config.cjs']))
  await answers('out/rspack/main.js')
  t.diagnostic(`@rspack/core ${versionOf(app, '@rspack/core')}`)
})

const esbuild = (entry, ...options) => npx(app, 'esbuild', [entry, '--bundle', '--platform=node', '--log-level=warning', ...options])

test('esbuild bundles the addon with --loader:.node=copy, and says so without it', async (t) => {
  await succeed(esbuild('src/plain.mjs', '--format=cjs', '--loader:.node=copy', '--outfile=out/esbuild/main.cjs'))
  await answers('out/esbuild/main.cjs')
  const without = await esbuild('src/plain.mjs', '--format=cjs', '--outfile=out/esbuild-without/main.cjs')
  assert.equal(without.code, 1)
  assert.match(without.output, /No loader is configured for "\.node" files: node_modules\/lakebase-native-/)
  t.diagnostic(`esbuild ${versionOf(app, 'esbuild')}`)
})

test('esbuild makes ES modules with a require() of their own, or with the package outside', async () => {
  const banner = '--banner:js=import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
  await succeed(esbuild('src/modern.mjs', '--format=esm', '--loader:.node=copy', banner, '--outfile=out/esbuild-esm/main.mjs'))
  await answers('out/esbuild-esm/main.mjs')
  await succeed(esbuild('src/modern.mjs', '--format=esm', '--external:lakebase-native', '--outfile=out/esbuild-external/main.mjs'))
  await answers('out/esbuild-external/main.mjs', { packages: true })
})

test('Rollup keeps the package outside; bundled without that, the app says what to set', async (t) => {
  const plugins = ['-p', 'node-resolve', '-p', 'commonjs', '-p', 'json', '-f', 'es']
  await succeed(npx(app, 'rollup', ['src/modern.mjs', ...plugins, '--external', 'lakebase-native,lakebase-native/pg', '-o', 'out/rollup/main.mjs']))
  await answers('out/rollup/main.mjs', { packages: true })
  await succeed(npx(app, 'rollup', ['src/modern.mjs', ...plugins, '-o', 'out/rollup-all/main.mjs']))
  const { code, output } = await outputOf('out/rollup-all/main.mjs')
  assert.equal(code, 1)
  assert.match(output, leftBehind)
  t.diagnostic(`rollup ${versionOf(app, 'rollup')}`)
})

test('Vite keeps the package outside a server build by itself; with noExternal, the app says what to set', async (t) => {
  await succeed(npx(app, 'vite', ['build', '--ssr', 'src/modern.mjs', '--outDir', 'out/vite']))
  await answers('out/vite/modern.mjs', { packages: true })
  await succeed(npx(app, 'vite', ['build', '-c', 'vite.bundle-all.config.mjs', '--ssr', 'src/modern.mjs', '--outDir', 'out/vite-all']))
  const { code, output } = await outputOf('out/vite-all/modern.mjs')
  assert.equal(code, 1)
  assert.match(output, leftBehind)
  t.diagnostic(`vite ${versionOf(app, 'vite')}`)
})

test('tsup keeps the package outside by itself', async (t) => {
  await succeed(npx(app, 'tsup', ['src/plain.ts', '--out-dir', 'out/tsup']))
  await answers('out/tsup/plain.js', { packages: true })
  t.diagnostic(`tsup ${versionOf(app, 'tsup')}`)
})

test('ncc bundles the addon', async (t) => {
  await succeed(npx(app, 'ncc', ['build', 'src/modern.mjs', '-o', 'out/ncc']))
  await answers('out/ncc/index.mjs')
  t.diagnostic(`@vercel/ncc ${versionOf(app, '@vercel/ncc')}`)
})

test("Bun's bundler bundles the addon for Node.js and for Bun", async (t) => {
  const bun = join(app, 'node_modules', '@oven', `bun-${process.platform}-${process.arch}`, 'bin', 'bun')
  assert.ok(existsSync(bun), 'the bun package brings its program')
  await succeed(run(app, bun, ['build', '--target=node', 'src/modern.mjs', '--outdir', 'out/bun-node']))
  await answers('out/bun-node/modern.js')
  await succeed(run(app, bun, ['build', '--target=bun', 'src/modern.mjs', '--outdir', 'out/bun']))
  await answers('out/bun/modern.js', { program: bun })
  t.diagnostic(`bun ${versionOf(app, 'bun')}`)
})
