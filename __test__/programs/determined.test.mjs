// Node-postgres against itself: the random programs are determined, or what they show of others would mean nothing.
import { testPrograms } from './comparison.mjs'

testPrograms('node-postgres gives the same twice', { ways: ['directly', 'session', 'transaction'], count: 200, seed: 3_000, ours: 'pg' })
