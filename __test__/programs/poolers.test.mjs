// Random programs behind PgBouncer.
import { testPrograms } from './comparison.mjs'

testPrograms('as on node-postgres, behind PgBouncer', { ways: ['session', 'transaction'], count: 900, seed: 2_000 })
