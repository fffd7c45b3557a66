// The reader of batches: whatever is in one frame, the answers in the others are right, and it comes to an end.
import { checkReader } from '../../fuzz/reader.mjs'
import { test } from '../support/test.mjs'

const SEED = 20_260_101

test('a frame of any words and texts fails its own request only', () => {
  checkReader('frame', { seed: SEED, numRuns: 3_000 })
})

test('a parser, a getter or a callback that throws anything fails its own request only', () => {
  checkReader('parsers', { seed: SEED, numRuns: 1_000 })
})

test('a batch of any words and texts is read to an end, and leaves nobody without an answer', () => {
  checkReader('batch', { seed: SEED, numRuns: 2_000 })
})
