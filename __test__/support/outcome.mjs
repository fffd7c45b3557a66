// How something ended.
import assert from 'node:assert/strict'

/** The error that a promise rejects with, or that a function throws; a failure if there is none. */
export async function failureOf(work) {
  try {
    await (typeof work === 'function' ? work() : work)
  } catch (error) {
    return error
  }
  assert.fail('it succeeded, an error was expected')
}

/** Waits for something that no event tells of; the test's bound ends it. */
export async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5))
}

/** Waits for an event that `fits`, the first or the `count`th; resolves with its arguments. Other events, errors too, do not matter. */
export function event(emitter, name, fits = () => true, count = 1) {
  return new Promise((resolve) => {
    const listener = (...values) => {
      if (!fits(...values) || --count > 0) return
      emitter.off(name, listener)
      resolve(values)
    }
    emitter.on(name, listener)
  })
}

/** Waits for so many events. */
export function events(emitter, name, count) {
  return event(emitter, name, undefined, count)
}

/** Everything that is due happens: callbacks, promises, immediates. */
export async function settle(turns = 3) {
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** Numbers from 0 up to `count`. */
export function range(count) {
  return Array.from({ length: count }, (_, index) => index)
}
