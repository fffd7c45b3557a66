// The apps of docs/orms.md: one folder outside this checkout, where npm has installed the packed tarballs and every library of the page, once for
// all test files and until something is built again. A test imports the code that the page shows.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { after, beforeEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { pack, readJson, root } from '../../../package/installation.mjs'
import { deploy } from '../../../support/deployment.mjs'
import { run, succeed } from '../../support/app.mjs'

/** The newest versions that run on Node.js 20. */
const LIBRARIES = {
  '@mikro-orm/core': '6.6.16',
  '@mikro-orm/knex': '6.6.16',
  '@mikro-orm/postgresql': '6.6.16',
  '@prisma/adapter-pg': '7.10.1',
  '@prisma/client': '7.10.0',
  'better-auth': '1.7.25',
  'connect-pg-simple': '10.0.0',
  'express-session': '1.19.0',
  'graphile-worker': '0.16.6',
  knex: '3.3.0',
  kysely: '0.28.18',
  objection: '3.1.5',
  'pg-boss': '10.4.2',
  'pg-query-stream': '4.17.0',
  pgvector: '0.2.1',
  prisma: '7.10.1',
  'reflect-metadata': '0.2.2',
  sequelize: '6.37.8',
  typeorm: '1.1.1',
}

const NAME = 'lakebase-native-orms-'
const DAY_MILLIS = 86_400_000

const page = readFileSync(join(root, 'docs/orms.md'), 'utf8')

/** The code under a heading of docs/orms.md; a heading may have several blocks. */
export function blockOf(heading, number = 0) {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? ''
  const code = [...section.matchAll(/```ts\n(.*?)```/gs)][number]?.[1]
  if (!code) throw new Error(`docs/orms.md shows no such code under ${heading}`)
  return code
}

/** The version that the page's table says. */
export function versionOf(heading) {
  const [, version] = new RegExp(`^\\| \\[${heading}\\]\\(.*?\\) \\| (\\S+) \\|`, 'm').exec(page) ?? []
  return version
}

/** What was built: dist and the addon. */
function fingerprint() {
  const hash = createHash('sha256').update(JSON.stringify(LIBRARIES))
  for (const folder of ['dist', 'npm/local']) {
    const files = readdirSync(join(root, folder), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    for (const file of files.map((entry) => join(entry.parentPath ?? entry.path, entry.name)).sort()) hash.update(file.slice(root.length)).update(readFileSync(file))
  }
  return hash.digest('hex').slice(0, 16)
}

/** Whether the process that holds a lock is there. */
function isHeld(lock) {
  try {
    process.kill(Number(readFileSync(lock, 'utf8')), 0)
    return true
  } catch {
    return false
  }
}

/** The folder with everything installed. Test files run at the same time: one installs, the others wait for it. */
async function installation() {
  const folder = join(tmpdir(), NAME + fingerprint())
  const lock = `${folder}.lock`
  for (;;) {
    if (existsSync(folder)) return folder
    try {
      const file = openSync(lock, 'wx')
      writeFileSync(file, String(process.pid))
      closeSync(file)
      break
    } catch {
      if (existsSync(lock) && Date.now() - statSync(lock).mtimeMs > 5_000 && !isHeld(lock)) rmSync(lock, { force: true })
      await sleep(1_000)
    }
  }
  try {
    if (!existsSync(folder)) await install(folder)
  } finally {
    rmSync(lock, { force: true })
  }
  return folder
}

async function install(folder) {
  for (const name of readdirSync(tmpdir()).filter((name) => name.startsWith(NAME) && !name.endsWith('.lock'))) {
    const old = join(tmpdir(), name)
    if (Date.now() - statSync(old).mtimeMs > DAY_MILLIS) rmSync(old, { recursive: true, force: true })
  }
  const work = mkdtempSync(`${folder}.new-`)
  const tarballs = await pack(join(work, 'tarballs'))
  const platform = basename(tarballs.platform).replace(/-\d+\.\d+\.\d+.*$/, '')
  const own = { 'lakebase-native': 'file:tarballs/'.concat(basename(tarballs.main)), [platform]: 'file:tarballs/'.concat(basename(tarballs.platform)) }
  writeFileSync(join(work, 'package.json'), JSON.stringify({ name: 'orms', private: true, dependencies: { ...LIBRARIES, ...own } }))
  await succeed(run(work, 'npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error']))
  renameSync(work, folder)
}

/**
 * An app with the code of docs/orms.md under `heading`, on an emulator of its own; its tests run one after another. `library`: the package whose version
 * the page names. `prepare`: called with the app's folder before its code is imported. `sql`: prepares the database.
 */
export async function ormApp(heading, { library = heading.toLowerCase(), prepare, sql } = {}) {
  const installed = await installation()
  mkdirSync(join(installed, 'apps'), { recursive: true })
  // The libraries are found from there.
  const folder = mkdtempSync(join(installed, 'apps', 'app-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  await prepare?.(folder)
  const module = (name, text) => {
    writeFileSync(join(folder, name), text)
    return import(pathToFileURL(join(folder, name)))
  }
  const deployment = deploy({ sql })
  let started
  const app = {
    deployment,

    /** Called with what the page's code exports, before the first test, in a deployed app's environment. */
    start(work) {
      beforeEach(() => (started ??= module('connection.mjs', blockOf(heading)).then(work)))
    },

    /** What another block of the heading exports. */
    block: (number) => module(`block-${number}.mjs`, blockOf(heading, number)),

    /** Imports a library as the app would. */
    async library(name) {
      const { load } = await module('load.mjs', 'export const load = (name) => import(name)\n')
      return load(name)
    },

    /** Resolves when the app has no session left; fails before idle connections would be closed by themselves. */
    async sessionsEnded() {
      const sessions = `select count(*) from pg_stat_activity where backend_type = 'client backend' and usename = '${deployment.emulator.env.PGUSER}'`
      for (let looks = 0; ; looks++) {
        const [{ count }] = await deployment.emulator.query(sessions)
        if (Number(count) === 0) return
        if (looks === 100) throw new Error(`${count} sessions are still open`)
        await sleep(250)
      }
    },
  }
  test(`the version is the one that docs/orms.md names: ${versionOf(heading)}`, () => {
    const { version } = readJson(installed, 'node_modules', library, 'package.json')
    assert.equal(version, versionOf(heading))
  })
  return app
}
