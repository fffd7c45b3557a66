import 'server-only'
import { createLakebasePool, type LakebasePool } from 'lakebase-native'
import { drizzle } from 'lakebase-native/drizzle'
import * as schema from './schema'

/** `next dev` evaluates this module again after every change, and a build may hold it several times; `globalThis` is one per process. */
const kept = globalThis as typeof globalThis & { lakebasePool?: LakebasePool }

/** The process's one pool. Made when it is first used: `next build` evaluates this module, too, and may have no environment for it. */
export function getPool(): LakebasePool {
  kept.lakebasePool ??= createLakebasePool({ max: 5 })
  return kept.lakebasePool
}

const connect = () => drizzle({ client: getPool(), schema })
let db: ReturnType<typeof connect> | undefined

/** Drizzle on that pool, with the schema as it is now. */
export function getDb() {
  db ??= connect()
  return db
}
