// An app in CommonJS.
import { ConfigurationError, createLakebasePool, getToken, type LakebasePool } from 'lakebase-native'
import { startEmulator, type Emulator } from 'lakebase-native/emulator'
import pg from 'lakebase-native/pg'
import lakebase = require('lakebase-native')

const pool: LakebasePool = createLakebasePool({ max: 5 })
const sameClass: pg.Pool = pool
const samePool: typeof pg.Pool = lakebase.Pool
export const other = new pg.Pool({ host: 'localhost', password: getToken })

export async function use(client: pg.Client): Promise<number | null> {
  const emulator: Emulator = await startEmulator()
  await emulator.stop()
  const { rowCount } = await client.query('select 1')
  console.log(sameClass, samePool, ConfigurationError)
  return rowCount
}

// @ts-expect-error no such option
createLakebasePool({ maximum: 5 })
