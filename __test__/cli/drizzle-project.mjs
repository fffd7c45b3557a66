// A folder as `drizzle-kit generate` leaves it.
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from './lakebase.mjs'

/** Migrations with these tags and statements, in Drizzle's format with a journal. */
export function writeMigrations(folder, migrations) {
  mkdirSync(join(folder, 'meta'), { recursive: true })
  const entries = Object.entries(migrations).map(([tag, statements], idx) => {
    writeFileSync(join(folder, `${tag}.sql`), statements.join('--> statement-breakpoint\n'))
    return { idx, version: '7', when: 1_700_000_000_000 + idx * 1000, tag, breakpoints: true }
  })
  writeFileSync(join(folder, 'meta', '_journal.json'), JSON.stringify({ version: '7', dialect: 'postgresql', entries }))
}

/** An app with drizzle-kit, whose one migration makes the table `notes`. */
export function writeProject(folder) {
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(
    join(folder, 'drizzle.config.js'),
    "module.exports = { dialect: 'postgresql', schema: './schema.cjs', out: './drizzle', dbCredentials: { url: process.env.DATABASE_URL } }\n",
  )
  writeMigrations(join(folder, 'drizzle'), { '0000_notes': ['CREATE TABLE "notes" ("id" serial PRIMARY KEY, "text" text NOT NULL);\n'] })
}
