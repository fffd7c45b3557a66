/** What `npm install` of each package puts on a disk. */

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, lstat, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageOf } from '../drivers/index.mjs'
import { installedVersion, root } from '../environment.mjs'
import { hold } from '../resources.mjs'

const run = promisify(execFile)

/** @param {string} folder @param {string[]} args */
const npm = (folder, args) => run('npm', args, { cwd: folder, maxBuffer: 2 ** 24 })

/**
 * @param {string} source a package's folder
 * @param {string} destination
 */
async function pack(source, destination) {
  const { stdout } = await npm(source, ['pack', '--json', '--ignore-scripts', '--pack-destination', destination])
  return join(destination, JSON.parse(stdout)[0].filename)
}

/** The addon of this machine, as built into npm/local. */
async function findAddon() {
  const folder = join(root, 'npm', 'local')
  const name = existsSync(folder) && (await readdir(folder)).find((file) => file.endsWith('.node'))
  return name ? join(folder, name) : undefined
}

/**
 * The package that carries the addon: npm/<target>'s manifest if there is one, else one like it.
 * @param {string} addon
 * @param {string} folder
 */
async function packPlatform(addon, folder) {
  const [, target] = /** @type {RegExpMatchArray} */ (addon.match(/lakebase-native\.(.+)\.node$/))
  const source = join(folder, 'platform')
  await mkdir(source)
  const prepared = join(root, 'npm', target)
  if (existsSync(join(prepared, 'package.json'))) await cp(prepared, source, { recursive: true })
  else {
    const file = `lakebase-native.${target}.node`
    const manifest = { name: `lakebase-native-${target}`, version: installedVersion('lakebase-native'), main: file, files: [file] }
    await writeFile(join(source, 'package.json'), JSON.stringify(manifest))
  }
  await cp(addon, join(source, `lakebase-native.${target}.node`))
  return pack(source, folder)
}

/** @param {string} folder @returns {Promise<number>} bytes of all files, as a deployment counts them */
async function bytesUnder(folder) {
  const entries = await readdir(folder, { recursive: true })
  const sizes = await Promise.all(
    entries.map(async (entry) => {
      const stats = await lstat(join(folder, entry))
      return stats.isFile() ? stats.size : 0
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/**
 * Installs into a fresh folder and looks at what came.
 * @param {string} folder
 * @param {string[]} specifiers
 */
async function install(folder, specifiers) {
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), '{"private":true}')
  await npm(folder, ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', ...specifiers])
  const modules = join(folder, 'node_modules')
  const { packages } = JSON.parse(await readFile(join(modules, '.package-lock.json'), 'utf8'))
  /** @type {{ hasInstallScript?: boolean, optional?: boolean }[]} */
  const installed = Object.entries(packages)
    .filter(([path]) => path !== '' && existsSync(join(folder, path)))
    .map(([, entry]) => entry)
  return {
    packages: [installed.length],
    megabytes: [(await bytesUnder(modules)) / 1e6],
    installScripts: [installed.filter(({ hasInstallScript }) => hasInstallScript).length],
  }
}

/**
 * @param {import('../rounds.mjs').Context} context
 * @returns {Promise<import('../report.mjs').Section>}
 */
async function measure({ options, progress }) {
  const folder = await mkdtemp(join(tmpdir(), 'lakebase-native-footprint-'))
  const remove = hold(() => rm(folder, { recursive: true, force: true }))
  const addon = await findAddon()
  /** @type {import('../report.mjs').Measured[]} */
  const drivers = []
  for (const name of options.drivers.filter((driver) => driver !== 'pg-named')) {
    progress(`footprint of ${packageOf(name)}`)
    if (name !== 'ours') {
      const specifier = `${packageOf(name)}@${installedVersion(packageOf(name))}`
      drivers.push({ name, samples: await install(join(folder, name), [specifier]) })
    } else if (addon) {
      const tarballs = [await pack(root, folder), await packPlatform(addon, folder)]
      const samples = await install(join(folder, name), tarballs)
      drivers.push({ name, samples: { ...samples, addonMegabytes: [(await lstat(addon)).size / 1e6] } })
    } else {
      drivers.push({ name, skipped: 'npm/local has no addon; run `npm run build` first', samples: {} })
    }
  }
  await remove()
  return {
    name: 'footprint',
    title: 'Installed by npm',
    notes: ['Sum of file sizes under node_modules; optional peers are not installed.'],
    columns: [
      { key: 'packages', label: 'packages', ratio: true },
      { key: 'megabytes', label: 'MB', ratio: true },
      { key: 'installScripts', label: 'install scripts' },
      { key: 'addonMegabytes', label: 'addon MB' },
    ],
    drivers,
    base: 'pg',
    targets: [
      { column: 'addonMegabytes', atMost: 6 },
      { column: 'packages', atMost: 4 },
      { column: 'installScripts', atMost: 0 },
    ],
  }
}

/** @type {import('./index.mjs').Scenario} */
export default { name: 'footprint', title: 'Bytes and packages that npm installs, size of the addon', notQuick: true, run: measure }
