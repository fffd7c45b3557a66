import { attachDatabasePool } from '@vercel/functions'
import { createLakebasePool } from 'lakebase-native'

/** One pool for all requests of this process; it connects when it is first used. */
export const pool = createLakebasePool({ max: 5, idleTimeoutMillis: 5_000 })

// Keeps the function running until idle connections are closed, so that none stays open in a suspended instance.
attachDatabasePool(pool)
