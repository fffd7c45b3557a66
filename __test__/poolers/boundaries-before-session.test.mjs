// Disturbances between a pool and PgBouncer, session mode.
import { beforePgbouncer, testBoundaries } from './boundaries.mjs'

testBoundaries(beforePgbouncer('session'))
