// lakebase-native/drizzle as it is installed, without `pg` and its types: in both module systems, with each version of drizzle-orm.
import assert from 'node:assert/strict'
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { startEmulator } from 'lakebase-native/emulator'
import { install, root, run } from './installation.mjs'

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const app = await install()
let emulator
before(async () => {
  emulator = await startEmulator()
  Object.assign(process.env, emulator.env)
})
after(() => emulator.stop())

/** Reads and writes, and shows the classes' kinds and which of drizzle-orm's two copies are loaded. */
const program = `
  const items = core.pgTable('items', { id: core.integer().primaryKey(), name: core.text() })
  const db = drizzle({ connection: { max: 1 } })
  await db.execute(orm.sql\`drop table if exists items\`)
  await db.execute(orm.sql\`create table items (id int primary key, name text)\`)
  await db.transaction((tx) => tx.insert(items).values([{ id: 1, name: 'one' }, { id: 2 }]))
  const rows = await db.select().from(items).where(orm.eq(items.id, 1))
  const all = await Promise.all([db.$count(items), db.insert(items).values({ id: 1 }).catch((error) => [error instanceof orm.DrizzleQueryError, error.cause.code])])
  await db.$client.end()
  const loaded = (await import('node:module')).createRequire(process.cwd() + '/x.js').cache
  console.log(JSON.stringify([rows, ...all, orm.is(db, LakebaseDatabase), Object.keys(loaded).some((file) => file.includes('drizzle-orm'))]))`
const expected = (commonJs) => JSON.stringify([[{ id: 1, name: 'one' }], 2, [true, '23505'], true, commonJs])

for (const [version, source] of Object.entries({ '0.45': 'drizzle-orm', '1.0': 'drizzle-orm-rc' })) {
  describe(`drizzle-orm ${version}`, () => {
    before(() => {
      rmSync(join(app, 'node_modules/drizzle-orm'), { recursive: true, force: true })
      cpSync(join(root, 'node_modules', source), join(app, 'node_modules/drizzle-orm'), { recursive: true })
    })

    test('it is within the range of peers', () => {
      const { version: installed } = JSON.parse(readFileSync(join(app, 'node_modules/drizzle-orm/package.json'), 'utf8'))
      const { peerDependencies } = JSON.parse(readFileSync(join(app, 'node_modules/lakebase-native/package.json'), 'utf8'))
      assert.ok(installed.startsWith(version))
      assert.ok(peerDependencies['drizzle-orm'].includes(version))
    })

    test('an ES module has the ES modules of drizzle-orm alone', async () => {
      const output = await run(app, [
        '--input-type=module',
        '--eval',
        `import * as orm from 'drizzle-orm'
         import * as core from 'drizzle-orm/pg-core'
         import { drizzle, LakebaseDatabase } from 'lakebase-native/drizzle'
         import { migrate } from 'lakebase-native/drizzle/migrator'
         if (typeof migrate !== 'function') throw new Error('no migrate')
         ${program}`,
      ])
      assert.equal(output, expected(false))
    })

    test('a CommonJS module', async () => {
      const output = await run(app, [
        '--input-type=commonjs',
        '--eval',
        `const orm = require('drizzle-orm'), core = require('drizzle-orm/pg-core')
         const { drizzle, LakebaseDatabase } = require('lakebase-native/drizzle')
         if (typeof require('lakebase-native/drizzle/migrator').migrate !== 'function') throw new Error('no migrate')
         void (async () => { ${program} })()`,
      ])
      assert.equal(output, expected(true))
    })

    test('tables of an ES module with the driver of a CommonJS module', async () => {
      const output = await run(app, [
        '--input-type=module',
        '--eval',
        `import { createRequire } from 'node:module'
         import * as orm from 'drizzle-orm'
         import * as core from 'drizzle-orm/pg-core'
         const { drizzle, LakebaseDatabase } = createRequire(process.cwd() + '/app.js')('lakebase-native/drizzle')
         const db = drizzle({ connection: { max: 1 } })
         const items = core.pgTable('items', { id: core.integer().primaryKey(), name: core.text() })
         await db.execute(orm.sql\`create table if not exists items (id int primary key, name text)\`)
         const rows = await db.select({ one: orm.sql\`1\`.mapWith(Number), id: items.id }).from(items).where(orm.and(orm.eq(items.id, -1), orm.inArray(items.id, [1])))
         await db.$client.end()
         console.log(JSON.stringify([rows, orm.is(db, LakebaseDatabase)]))`,
      ])
      assert.equal(output, '[[],true]')
    })

    test('without code from strings', async () => {
      const output = await run(app, [
        '--disallow-code-generation-from-strings',
        '--input-type=module',
        '--eval',
        `import { sql } from 'drizzle-orm'
         import { integer, pgTable } from 'drizzle-orm/pg-core'
         import { drizzle } from 'lakebase-native/drizzle'
         const db = drizzle()
         const numbers = pgTable('numbers', { n: integer() })
         await db.execute(sql\`create table if not exists numbers as select n from generate_series(1, 100) n\`)
         console.log(JSON.stringify((await db.select({ a: { n: numbers.n } }).from(numbers)).at(-1)))
         await db.$client.end()`,
      ])
      assert.equal(output, '{"a":{"n":100}}')
    })

    for (const [kind, files, ...args] of [
      ['ES modules and CommonJS under node16', ['drizzle.mts', 'drizzle.cts'], '--module', 'node16'],
      ['classic node resolution', ['drizzle.ts'], '--module', 'commonjs', '--moduleResolution', 'node10'],
    ]) {
      test(`its types for ${kind}`, async () => {
        const text = `
          import { integer, pgTable } from 'drizzle-orm/pg-core'
          import { drizzle } from 'lakebase-native/drizzle'
          import { migrate } from 'lakebase-native/drizzle/migrator'
          const items = pgTable('items', { id: integer().primaryKey() })
          export async function program(): Promise<number> {
            const db = drizzle({ logger: true })
            await migrate(db, { migrationsFolder: 'drizzle' })
            const { rowCount } = await db.insert(items).values({ id: 1 })
            const [row] = await db.select().from(items)
            // @ts-expect-error: a number
            const text: string = row!.id
            return row!.id + rowCount! + db.$client.totalCount + text.length
          }`
        for (const file of files) writeFileSync(join(app, file), text)
        // Drizzle's own declarations do not stand \`skipLibCheck: false\`.
        const options = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022', '--lib', 'es2023', '--esModuleInterop', '--types', 'node']
        const typeRoots = ['--typeRoots', join(root, 'node_modules/@types')]
        const output = await run(app, [tsc, ...options, ...typeRoots, ...args, ...files]).catch(({ stdout }) => stdout)
        assert.equal(output, '')
      })
    }
  })
}
