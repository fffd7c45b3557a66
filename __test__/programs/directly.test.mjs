// Random programs on PostgreSQL itself.
import { testPrograms } from './comparison.mjs'

testPrograms('as on node-postgres, directly', { ways: ['directly'], count: 1_100, seed: 1_000 })
