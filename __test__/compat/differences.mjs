// Deliberate differences from pg, each listed in the README's table. A case that matches must differ: an entry whose
// behaviour has become equal again fails, so that this list never says more than is true.
//
// { case: 'file › case name' or a RegExp over it, why: 'one sentence' }
export const differences = [
  {
    case: 'pool-lifecycle › Symbol.asyncDispose',
    why: 'pg-pool has no asynchronous disposal; here `await using` ends the pool',
  },
]
