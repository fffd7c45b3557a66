/**
 * Packs lakebase-native and its platform packages as they are published.
 *   node scripts/pack.mjs <directory>          what was built on this machine: `npm run build` first
 *   node scripts/pack.mjs <directory> --all    every target of package.json's napi.targets, or an error
 *
 * An addon is taken from npm/<target>, where a release puts what its machines built, or else from npm/local, this checkout's build. With
 * `--addons <folder>` it is taken from there, <folder>/<target>, and from nowhere else.
 * Only what is packed here becomes an optional dependency, so that the tarballs install without packages that nobody has published.
 * Prints the tarballs' paths, the main package's last.
 */

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { thirdPartyLicenses } from './crates.mjs'
import { manifest, root } from './entries.mjs'

const { values, positionals } = parseArgs({ options: { all: { type: 'boolean' }, addons: { type: 'string' } }, allowPositionals: true })
const destination = resolve(positionals[0] ?? '.')
const staging = mkdtempSync(join(tmpdir(), 'lakebase-native-pack-'))
process.once('exit', () => rmSync(staging, { recursive: true, force: true }))
mkdirSync(destination, { recursive: true })

const missing = []
const optionalDependencies = {}
for (const target of readdirSync(join(root, 'npm')).filter((name) => name !== 'local')) {
  const directory = join(root, 'npm', target)
  const platform = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'))
  const folders = values.addons ? [join(resolve(values.addons), target)] : [directory, join(root, 'npm', 'local')]
  const addon = folders.map((from) => join(from, platform.main)).find(existsSync)
  if (!addon) {
    missing.push(target)
    continue
  }
  if (platform.version !== manifest.version) throw new Error(`npm/${target} has version ${platform.version}, not ${manifest.version}: only \`npm run release\` sets versions`)
  optionalDependencies[platform.name] = platform.version
  const stage = join(staging, target)
  mkdirSync(stage)
  cpSync(join(directory, 'README.md'), join(stage, 'README.md'))
  writeManifest(stage, platform)
  writeFileSync(join(stage, 'THIRD-PARTY-LICENSES.txt'), thirdPartyLicenses(target))
  cpSync(join(root, 'LICENSE'), join(stage, 'LICENSE'))
  cpSync(addon, join(stage, platform.main))
  writeFileSync(join(stage, 'bundled.mjs'), bundledEntry(platform.main))
  pack(stage)
}
if (Object.keys(optionalDependencies).length === 0) throw new Error('no addon to pack: run `npm run build` first')
if (values.all && missing.length > 0) throw new Error(`no addon for ${missing.join(', ')}`)

const main = join(staging, 'main')
for (const file of manifest.files) if (existsSync(join(root, file))) cpSync(join(root, file), join(main, file), { recursive: true })
// What only a checkout can use.
const { scripts: _scripts, devDependencies: _devDependencies, napi: _napi, allowScripts: _allowScripts, ...published } = manifest
writeManifest(main, { ...published, optionalDependencies })
pack(main)

/** With the repository that a workflow of GitHub runs for: a statement of provenance is only taken for the repository that package.json names. */
function writeManifest(directory, contents) {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name } = process.env
  const repository = server && name ? { repository: { type: 'git', url: `git+${server}/${name}.git` } } : {}
  writeFileSync(join(directory, 'package.json'), `${JSON.stringify({ ...contents, ...repository }, null, 2)}\n`)
}

/**
 * The entry of a platform package for bundlers that copy a file named by `new URL(…, import.meta.url)` beside the bundle (Turbopack,
 * webpack): they cannot place a required .node file in a bundle. `exports` of the package hands it to them alone: webpack sets the
 * condition `webpack`, Turbopack `module` together with `production` or `development`, Node.js and esbuild none of these pairs.
 */
function bundledEntry(addon) {
  return `import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const url = String(new URL('./${addon}', import.meta.url))
const file = url.startsWith('file:') ? fileURLToPath(url) : undefined
if (!file || !existsSync(file)) {
  throw new Error(
    "the bundler has left the addon behind, or put it where Node.js cannot open it. Keep lakebase-native out of the bundle: serverExternalPackages: ['lakebase-native'] in next.config, externals in webpack, external in Rollup, ssr.external in Vite.",
  )
}
const opened = { exports: {} }
process.dlopen(opened, file)
export default opened.exports
`
}

function pack(directory) {
  const [{ filename }] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', destination], {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      // npm is a script on Windows, which only a shell runs.
      shell: process.platform === 'win32',
    }),
  )
  console.log(join(destination, filename))
}
