// Disturbances between a pool and PgBouncer, transaction mode.
import { beforePgbouncer, testBoundaries } from './boundaries.mjs'

testBoundaries(beforePgbouncer('transaction'))
