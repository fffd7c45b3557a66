// An app in ES modules.
import lakebase, { ConfigurationError, createLakebasePool, getToken, type LakebasePool } from 'lakebase-native'
import { startEmulator, type Emulator } from 'lakebase-native/emulator'
import pg, { DatabaseError, Pool, type Client } from 'lakebase-native/pg'

const pool: LakebasePool = createLakebasePool({ max: 5, idleTimeoutMillis: 1_000 })
// Both entries declare one class.
const sameClass: pg.Pool = pool
const samePool: typeof Pool = lakebase.Pool
export const other = new Pool({ host: 'localhost', password: getToken })

export async function use(client: Client): Promise<number | null> {
  const { rows, rowCount } = await sameClass.query('select $1::int as n', [1])
  const emulator: Emulator = await startEmulator({ tokenLifetimeMillis: 5_000 })
  await emulator.stop()
  try {
    await client.query({ text: 'select 1', rowMode: 'array' })
    await pool.transaction(async (within) => within.query('select 1'), { isolationLevel: 'serializable' })
  } catch (error) {
    if (error instanceof DatabaseError) console.log(error.code, error.constraint)
    if (error instanceof ConfigurationError) console.log(error.problems.map(({ option }) => option))
  }
  console.log(rows, samePool)
  return rowCount
}

// @ts-expect-error no such option
createLakebasePool({ maximum: 5 })
// @ts-expect-error an option's type
createLakebasePool({ max: 'many' })
// @ts-expect-error the emulator has its own entry
lakebase.startEmulator
