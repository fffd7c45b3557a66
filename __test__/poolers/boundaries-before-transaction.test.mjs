// Disturbances between a pool and PgBouncer, transaction mode.
import { beforePgbouncer, testBoundaries } from './boundaries.mjs'

// Several writes on the wire can lose acknowledged ones here, when PgBouncer gives a server away in the middle of them: the docs of the option say so.
testBoundaries(beforePgbouncer('transaction'), { pipelinesWrites: false })
