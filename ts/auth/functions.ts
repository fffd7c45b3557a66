/** Functions of the caller's that Rust asks for tokens, by number. */

type Asked = (...values: never[]) => unknown

const numbers = new WeakMap<Asked, number>()
const functions = new Map<number, WeakRef<Asked>>()
let next = 1

/** Forgets the number of a function that nobody has any more: a caller may make one per call. */
const forgotten = new FinalizationRegistry<number>((number) => functions.delete(number))

/** What stands for a function in Rust. The same function is the same identity, and shares its tokens. */
export function numberOf(asked: Asked): number {
  let number = numbers.get(asked)
  if (number === undefined) {
    number = next++
    numbers.set(asked, number)
    functions.set(number, new WeakRef(asked))
    forgotten.register(asked, number)
  }
  return number
}

/** The function of this number, if it is still somebody's. */
export function functionOf(number: number): Asked | undefined {
  return functions.get(number)?.deref()
}
