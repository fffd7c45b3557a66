import { writeSync } from 'node:fs'
import { createLakebasePool } from '@databricks/lakebase'

const pool = createLakebasePool()
const { rows } = await pool.query('SELECT 1 AS one')
writeSync(1, `${rows[0].one}\n`)
await pool.end()
