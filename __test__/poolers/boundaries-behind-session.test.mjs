// Disturbances between PgBouncer and PostgreSQL, session mode.
import { behindPgbouncer, testBoundaries } from './boundaries.mjs'

testBoundaries(behindPgbouncer('session'))
