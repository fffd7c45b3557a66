/**
 * Random programs whose outcome PostgreSQL determines, whichever connections serve them and in whatever order they are served:
 *
 * - A program is some lanes that run at the same time. A lane takes one step after another, on its own table.
 * - A call that is not awaited, or that runs beside others of its lane, commutes with them. Others wait for all before them, and are awaited. With one
 *   connection the order of calls is the order in which they run, and nothing need be awaited.
 * - A hold checks out a client, may begin a transaction, asks on the client and, meanwhile, on the pool. It waits for the pool only if on node-postgres a
 *   connection is certainly free: with so many that neither holders nor calls that wait for a lock can take all.
 */
import fc from 'fast-check'
import { inlined, namesOf, statements } from './statements.mjs'

const FIRST_FRESH_ID = 200

const call = (choose) =>
  fc
    .oneof(
      ...Object.entries(statements)
        .filter(([, statement]) => choose(statement))
        .map(([name, { weight, args }]) => ({ weight, arbitrary: fc.record({ ask: fc.constant(name), args }) })),
    )
    .chain((chosen) =>
      fc.record({
        ask: fc.constant(chosen.ask),
        args: fc.constant(chosen.args),
        wait: fc.boolean(),
        form: fc.constantFrom('values', 'values', 'values', 'simple', 'named', 'array', 'callback', 'extended'),
      }),
    )

const onPool = call((statement) => !statement.client)
const onClient = call(() => true).map((each) => ({ on: 'client', ...each }))
const meanwhile = call((statement) => statement.commutes && !statement.adds).map((each) => ({ on: 'pool', ...each }))

const hold = fc.record({
  hold: fc.array(fc.oneof({ weight: 3, arbitrary: onClient }, { weight: 1, arbitrary: meanwhile }), { maxLength: 8 }),
  begin: fc.option(fc.constantFrom('begin', 'begin', 'begin isolation level repeatable read', 'begin read only'), { freq: 4 }),
  end: fc.constantFrom('commit', 'commit', 'rollback'),
  destroy: fc.boolean(),
})

const step = fc.oneof({ weight: 3, arbitrary: onPool }, { weight: 1, arbitrary: hold })

/** Programs as they are drawn; `plan` makes them ready to run. */
export const programs = fc.record({
  driver: fc.constantFrom('lakebase-native/pg', 'createLakebasePool'),
  way: fc.constantFrom('directly', 'directly', 'session', 'transaction'),
  max: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 10 })),
  statementCacheSize: fc.constantFrom(undefined, undefined, undefined, 2, 0),
  lanes: fc.array(fc.array(step, { minLength: 1, maxLength: 7 }), { minLength: 1, maxLength: 4 }),
})

/** The calls of a program, with texts and values; what could not be answered the same each time is left out or done otherwise. */
export function plan({ way, max, lanes }, schema) {
  const ordered = max === 1
  const holders = lanes.filter((lane) => lane.some((each) => each.hold)).length
  const blocked = lanes.reduce((sum, lane) => sum + blockedCalls(lane), 0)
  const free = holders + blocked < max
  return lanes.map((steps, lane) => {
    const names = namesOf(schema, lane)
    let fresh = FIRST_FRESH_ID
    const prepared = ({ ask, args, wait, form }) => {
      const statement = statements[ask]
      const [text, values] = statement.sql(names, { ...args, fresh: fresh++ })
      const commutes = statement.commutes === true
      const common = { commutes, wait: wait || (!ordered && !commutes), lost: ask === 'kill' }
      if (form === 'simple' || (form === 'callback' && values.length === 0)) return { ...common, form, text: inlined([text, values]), values: undefined }
      if (form === 'named' && (!statement.named || way === 'transaction')) return { ...common, form: 'values', text, values }
      return { ...common, form, text, values, name: form === 'named' ? `${ask} ${lane}` : undefined }
    }
    return steps.map((each) => {
      if (!each.hold) return prepared(each)
      const block = each.begin !== null
      const changesTables = each.hold.some(({ on, ask }) => on === 'client' && (ask === 'ddl' || ask === 'several'))
      const items = each.hold
        .filter(({ on, ask }) => on === 'pool' || (!(statements[ask].block && !block) && !(statements[ask].session && way === 'transaction')))
        // Whether a table is still there would depend on when the lock is granted.
        .filter(({ on, ask }) => on === 'client' || !changesTables || !statements[ask].locks)
        // It would depend on the moment whether the snapshot is older than what another call has changed.
        .filter(({ ask }) => each.begin !== 'begin isolation level repeatable read' || !statements[ask].locks)
        .map((item) => {
          const ready = prepared(item)
          if (item.on === 'pool') ready.wait = item.wait && free && !statements[item.ask].locks
          else ready.wait = item.wait
          return { on: item.on, ...ready }
        })
      const asked = (...kinds) => each.hold.some(({ on, ask }) => on === 'client' && kinds.includes(ask) && !(statements[ask].session && way === 'transaction'))
      return {
        hold: items,
        begin: each.begin,
        end: each.end,
        // The next holder of the connection finds what every new one has.
        tidy: [...(asked('setting', 'path', 'pathByFunction') ? ['reset all'] : []), ...(asked('prepare') ? ['deallocate p'] : [])],
        destroy: each.destroy,
      }
    })
  })
}

/** How many calls of a lane may wait for a lock at the same time. */
function blockedCalls(lane) {
  const nested = lane.filter((each) => each.hold).map(({ hold: items }) => items.filter(({ on, ask }) => on === 'pool' && statements[ask].locks).length)
  return Math.max(0, ...nested) + lane.filter(({ ask }) => ask === 'sharedAdd').length
}
