// Disturbances between a pool and PostgreSQL, without a pooler.
import { directly, testBoundaries } from './boundaries.mjs'

testBoundaries(directly)
