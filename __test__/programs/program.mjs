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

/** What is asked is drawn from the program's own few statements, so that they meet. */
const call = fc.record({
  pick: fc.nat(99),
  args: fc.record({ id: fc.integer({ min: 1, max: 10 }), n: fc.integer({ min: -9, max: 99 }), which: fc.nat(20), fails: fc.boolean() }),
  wait: fc.boolean(),
  times: fc.constantFrom(1, 1, 1, 1, 1, 2, 5, 20),
  form: fc.constantFrom('values', 'values', 'values', 'simple', 'named', 'array', 'callback', 'extended'),
})

const hold = fc.record({
  hold: fc.array(fc.tuple(fc.constantFrom('client', 'client', 'client', 'pool'), call).map(([on, each]) => ({ on, ...each })), { maxLength: 8 }),
  begin: fc.option(fc.constantFrom('begin', 'begin', 'begin isolation level repeatable read', 'begin read only'), { freq: 4 }),
  end: fc.constantFrom('commit', 'commit', 'rollback'),
  destroy: fc.boolean(),
})

/** A program that waits for the pool while calls of its own wait for a row that it has locked. */
const lockingHold = fc.record({ adds: fc.integer({ min: 1, max: 4 }), reads: fc.integer({ min: 1, max: 30 }), asked: call, end: fc.constantFrom('commit', 'rollback') }).map(({ adds, reads, asked, end }) => {
  const item = (on, ask, times, wait) => ({ ...asked, on, ask, times, wait, form: asked.form === 'callback' ? 'values' : asked.form })
  const items = [item('client', 'lock', 1, true), item('pool', 'add', adds, false), item('pool', 'fixed', reads, true), { ...asked, on: 'client' }]
  // Statements that a connection knows are treated otherwise than new ones.
  return [item('pool', 'add', 10, true), item('pool', 'fixed', 40, true), { hold: items, begin: 'begin', end, destroy: false }]
})

const steps = fc.oneof({ weight: 10, arbitrary: call.map((each) => [each]) }, { weight: 3, arbitrary: hold.map((each) => [each]) }, { weight: 1, arbitrary: lockingHold })

/** Programs as they are drawn, for these ways to PostgreSQL; `plan` makes them ready to run. */
export const programs = (ways) => fc.record({
  driver: fc.constantFrom('lakebase-native/pg', 'createLakebasePool'),
  way: fc.constantFrom(...ways),
  max: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 10 })),
  maxUses: fc.constantFrom(undefined, undefined, undefined, undefined, 1, 3),
  statementCacheSize: fc.constantFrom(undefined, undefined, undefined, 2, 0),
  vocabulary: fc.uniqueArray(fc.constantFrom(...Object.keys(statements)), { minLength: 2, maxLength: 8 }),
  lanes: fc.array(fc.array(steps, { minLength: 1, maxLength: 7 }).map((groups) => groups.flat()), { minLength: 1, maxLength: 4 }),
})

/** The statement that a call picks from those that fit its place. */
function chosen(vocabulary, pick, fits) {
  const fitting = vocabulary.filter((name) => fits(statements[name]))
  return fitting.length > 0 ? fitting[pick % fitting.length] : 'fixed'
}

/** The lanes with each call's statement named. */
function resolve({ vocabulary, way, lanes }) {
  const onPool = ({ client }) => !client
  const meanwhile = ({ commutes, adds }) => commutes && !adds
  return lanes.map((steps) =>
    steps.map((each) => {
      if (!each.hold) return { ask: chosen(vocabulary, each.pick, onPool), ...each }
      const onClient = ({ block, session }) => !(block && each.begin === null) && !(session && way === 'transaction')
      return { ...each, hold: each.hold.map((item) => ({ ask: chosen(vocabulary, item.pick, item.on === 'pool' ? meanwhile : onClient), ...item })) }
    }),
  )
}

/** The calls of a program, with texts and values; what could not be answered the same each time is left out or done otherwise. */
export function plan(program, schema) {
  const { way, max } = program
  const ordered = max === 1
  const lanes = resolve(program)
  const holders = lanes.filter((lane) => lane.some((each) => each.hold)).length
  const blocked = lanes.reduce((sum, lane) => sum + blockedCalls(lane), 0)
  const free = holders + blocked < max
  return lanes.map((steps, lane) => {
    const names = namesOf(schema, lane)
    let fresh = FIRST_FRESH_ID
    /** The calls of one step: several only of what commutes. */
    const prepared = ({ on = 'pool', ask, args, wait, form, times }) => {
      const statement = statements[ask]
      const commutes = statement.commutes === true
      const calls = Array.from({ length: commutes ? times : 1 }, () => {
        const [text, values] = statement.sql(names, { ...args, fresh: fresh++ })
        if (form === 'simple' || (form === 'callback' && values.length === 0)) return { form, text: inlined([text, values]), values: undefined }
        if (form === 'named' && (!statement.named || way === 'transaction')) return { form: 'values', text, values }
        return { form, text, values, name: form === 'named' ? `${ask} ${lane}` : undefined }
      })
      return { on, calls, commutes, wait, lost: ask === 'kill' }
    }
    return steps.map((each) => {
      if (!each.hold) {
        const ready = prepared(each)
        return { ...ready, wait: ready.wait || (!ordered && !ready.commutes) }
      }
      const asked = (...kinds) => each.hold.some(({ on, ask }) => on === 'client' && kinds.includes(ask))
      const items = each.hold
        // A lock of the whole table while they wait for its row would be a deadlock; and whether the table is still there would depend on the moment.
        .filter(({ on, ask }) => on === 'client' || !asked('ddl', 'hiddenDdl', 'lockTable') || !statements[ask].locks)
        // It would depend on the moment whether the snapshot is older than what another call has changed.
        .filter(({ ask }) => each.begin !== 'begin isolation level repeatable read' || !statements[ask].locks)
        .map((item) => ({ ...prepared(item), wait: item.wait && (item.on === 'client' || (free && !statements[item.ask].locks)) }))
      return {
        hold: items,
        begin: each.begin,
        end: each.end,
        // The next holder of the connection finds what every new one has.
        tidy: [
          ...(asked('setting', 'path', 'pathByFunction') ? ['reset all'] : []),
          ...(asked('declareHeld') ? ['close all'] : []),
          ...(asked('prepare') ? ['deallocate p'] : []),
        ],
        destroy: each.destroy,
      }
    })
  })
}

/** How many calls of a lane may wait for a lock at the same time. */
function blockedCalls(lane) {
  const sum = (items) => items.reduce((total, { times }) => total + times, 0)
  const nested = lane.filter((each) => each.hold).map(({ hold: items }) => sum(items.filter(({ on, ask }) => on === 'pool' && statements[ask].locks)))
  return Math.max(0, ...nested) + sum(lane.filter(({ ask }) => ask === 'sharedAdd'))
}
