// drizzle-orm 1.0's codecs: ours are those of its driver for node-postgres, in a module that 0.45 does not have.
import assert from 'node:assert/strict'
import { inspect } from 'node:util'
import { nodePgCodecs } from 'drizzle-orm-rc/node-postgres/codecs'
import { test } from '../support/test.mjs'
import './support/versions.mjs'

const { lakebaseCodecs } = await import('../../dist/drizzle/codecs.mjs?1.0')

const inputs = [
  '1', '12.50', '(1,2)', '{1,2,3}', '[1,2,3]', '2024-02-29 12:34:56.789', '2024-02-29', '{"(1,2)","(3,4)"}', '{"[1,2]","[3,4]"}', 'x',
  '0101000000000000000000F03F0000000000000040', '{0101000000000000000000F03F0000000000000040}', 1, 1.5, null, true, { a: 1 }, [1, 2], ['1', '2'], [['1'], ['2']],
  ['(1,2)', '(3,4)'], [{ a: [1] }], ['{1,2,3}'], ['2024-02-29'], [], {},
]

/** What a codec makes of everything above. */
function behaviour(codec) {
  return inputs.map((input) => {
    const copy = structuredClone(input)
    const outcomes = [1, 2].map((dimensions) => {
      try {
        return codec(copy, dimensions)
      } catch (error) {
        return error.name
      }
    })
    return inspect(outcomes, { depth: 12 })
  })
}

test('each of them, for each type', () => {
  const ours = lakebaseCodecs()
  assert.deepEqual(Object.keys(ours).sort(), Object.keys(nodePgCodecs).sort())
  for (const [type, codecs] of Object.entries(nodePgCodecs)) {
    const defined = (of) => Object.keys(of).filter((name) => of[name] !== undefined).sort()
    assert.deepEqual(defined(ours[type]), defined(codecs), type)
    for (const name of defined(codecs)) assert.deepEqual(behaviour(ours[type][name]), behaviour(codecs[name]), `${type} ${name}`)
  }
})
