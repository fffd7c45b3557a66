// Disturbances between PgBouncer and PostgreSQL, transaction mode.
import { behindPgbouncer, testBoundaries } from './boundaries.mjs'

testBoundaries(behindPgbouncer('transaction'))
