import { writeSync } from 'node:fs'
import * as entry from 'lakebase-native'

/** @type {{ createLakebasePool: () => import('pg').Pool }} */
const { createLakebasePool } = entry
const pool = createLakebasePool()
const { rows } = await pool.query('SELECT 1 AS one')
writeSync(1, `${rows[0].one}\n`)
await pool.end()
