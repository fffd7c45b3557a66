// migrate(): what drizzle-kit has generated, run once.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { compare } from './support/comparison.mjs'

const steps = {
  '20240101000000_first': 'create table users (id int primary key);\n--> statement-breakpoint\ncreate index on users (id);',
  '20240102000000_second': "alter table users add column name text default 'nobody';",
}
const broken = { '20240103000000_third': 'create table half (id int);\n--> statement-breakpoint\nselect 1 / 0;' }

/** A folder as drizzle-kit of that version writes it. */
function folderOf(version, migrations) {
  const folder = mkdtempSync(join(tmpdir(), 'lakebase-native-migrations-'))
  after(() => rmSync(folder, { recursive: true }))
  for (const [tag, sql] of Object.entries(migrations)) {
    if (version === '1.0') mkdirSync(join(folder, tag))
    writeFileSync(version === '1.0' ? join(folder, tag, 'migration.sql') : join(folder, `${tag}.sql`), sql)
  }
  if (version === '1.0') return folder
  const entries = Object.keys(migrations).map((tag, idx) => ({ idx, version: '7', when: Number(tag.slice(0, 14)), tag, breakpoints: true }))
  mkdirSync(join(folder, 'meta'))
  writeFileSync(join(folder, 'meta/_journal.json'), JSON.stringify({ version: '7', dialect: 'postgresql', entries }))
  return folder
}

compare(({ orm: { sql }, name }) => {
  const first = folderOf(name, Object.fromEntries(Object.entries(steps).slice(0, 1)))
  const both = folderOf(name, steps)
  const bad = folderOf(name, { ...steps, ...broken })
  const columns = sql`select table_schema, table_name, column_name from information_schema.columns
    where table_schema in ('public', 'drizzle', 'other') and column_name <> 'applied_at' order by 1, 2, ordinal_position`
  const done = sql`select id, hash, created_at from drizzle.__drizzle_migrations order by id`
  return {
    setup: 'drop schema if exists other cascade',
    run: {
      'all, once': async (db, { migrate }) => {
        const outcomes = [await migrate(db, { migrationsFolder: both }), await migrate(db, { migrationsFolder: both })]
        return [outcomes, (await db.execute(columns)).rows, (await db.execute(done)).rows]
      },
      'those that are new': async (db, { migrate }) => {
        await migrate(db, { migrationsFolder: first })
        await db.execute(sql`insert into users values (1)`)
        await migrate(db, { migrationsFolder: both })
        return [(await db.execute(sql`select * from users`)).rows, (await db.execute(done)).rows]
      },
      'a schema and a table of its own': async (db, { migrate }) => {
        await migrate(db, { migrationsFolder: both, migrationsSchema: 'other', migrationsTable: 'history' })
        return (await db.execute(columns)).rows
      },
      'none of them when one fails': async (db, { migrate }) => {
        const error = await migrate(db, { migrationsFolder: bad }).catch((failure) => failure)
        return [error, (await db.execute(columns)).rows, (await db.execute(done)).rows]
      },
      'error: no such folder': (db, { migrate }) => migrate(db, { migrationsFolder: 'no/such/folder' }),
    },
  }
})
