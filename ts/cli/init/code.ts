/** What an app's frameworks need to use Lakebase, by what its package.json depends on. */

import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { readIfThere } from '../atomic-write.js'

export type Framework = 'Next.js' | 'Drizzle' | 'Prisma'

/** A file of code, or where `file` is missing something to do. */
export interface Advice {
  framework: Framework
  file?: string
  text: string
}

const MARKS: [string, Framework][] = [
  ['next', 'Next.js'],
  ['drizzle-orm', 'Drizzle'],
  ['drizzle-kit', 'Drizzle'],
  ['prisma', 'Prisma'],
  ['@prisma/client', 'Prisma'],
]

/** The frameworks that the package.json of a folder depends on. */
export function detectFrameworks(folder: string): Framework[] {
  const manifest = manifestOf(folder)
  const dependencies = { ...(manifest['dependencies'] as object), ...(manifest['devDependencies'] as object) }
  return [...new Set(MARKS.filter(([name]) => name in dependencies).map(([, framework]) => framework))]
}

function manifestOf(folder: string): Record<string, unknown> {
  try {
    return JSON.parse(readIfThere(join(folder, 'package.json')) ?? '{}') as Record<string, unknown>
  } catch {
    // Somebody is editing it; npm will tell.
    return {}
  }
}

/** The code for these frameworks in a folder. */
export function adviceFor(frameworks: readonly Framework[], folder: string): Advice[] {
  const source = existsSync(join(folder, 'src')) ? 'src/' : ''
  const hasDrizzle = frameworks.includes('Drizzle')
  const module = { file: `${source}lib/db.ts`, text: hasDrizzle ? DRIZZLE_MODULE : POOL_MODULE }
  const advice: Advice[] = []
  for (const framework of frameworks) {
    if (framework === 'Next.js') {
      advice.push({ framework, text: "In next.config, keep the addon out of the bundle: serverExternalPackages: ['lakebase-native']" })
      if (!hasDrizzle) advice.push({ framework, ...module })
    } else if (framework === 'Drizzle') {
      advice.push({ framework, ...module })
      advice.push({ framework, file: 'drizzle.config.ts', text: drizzleConfig(source) })
      advice.push({ framework, text: 'drizzle-kit logs in with: npx lakebase exec -- npx drizzle-kit migrate' })
    } else {
      advice.push({ framework, text: PRISMA })
    }
  }
  return advice
}

/** Writes the files that are not there yet; returns their names. */
export function writeCode(advice: readonly Advice[], folder: string): string[] {
  const written: string[] = []
  for (const { file, text } of advice) {
    if (file === undefined || existsSync(join(folder, file))) continue
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), text, { flag: 'wx' })
    written.push(file)
  }
  return written
}

const POOL_MODULE = `import { createLakebasePool, type LakebasePool } from 'lakebase-native'

// One pool per process: \`next dev\` evaluates this module again after every change, and \`next build\` evaluates it without a database.
const processWide = globalThis as { lakebasePool?: LakebasePool }

export function pool(): LakebasePool {
  return (processWide.lakebasePool ??= createLakebasePool())
}
`

const DRIZZLE_MODULE = `import { createLakebasePool, type LakebasePool } from 'lakebase-native'
import { drizzle } from 'lakebase-native/drizzle'

// One pool per process, also where a framework evaluates this module again.
const processWide = globalThis as { lakebasePool?: LakebasePool }

export const db = () => drizzle({ client: (processWide.lakebasePool ??= createLakebasePool()) })
`

const drizzleConfig = (source: string): string => `import { defineConfig } from 'drizzle-kit'

export default defineConfig({
  dialect: 'postgresql',
  schema: './${source}db/schema.ts',
  out: './drizzle',
  // Set by \`lakebase exec -- npx drizzle-kit …\`.
  dbCredentials: { url: process.env.DATABASE_URL ?? '' },
})
`

const PRISMA = `Prisma's tools log in with: npx lakebase exec -- npx prisma db pull
In the app, give the client a driver adapter with a password that is fetched for each connection (npm install @prisma/adapter-pg):
  new PrismaClient({ adapter: new PrismaPg({ password: getToken, ssl: true }) })   // getToken of lakebase-native; host, user and database are PGHOST, PGUSER, PGDATABASE`
