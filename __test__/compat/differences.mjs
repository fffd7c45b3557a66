// Deliberate differences from pg, each listed in docs/differences.md. A case that matches must differ: an entry whose
// behaviour has become equal again fails, so that this list never says more than is true.
//
// { case: 'file › case name' or a RegExp over it, why: 'one sentence' }
export const differences = [
  {
    case: 'pool-lifecycle › Symbol.asyncDispose',
    why: 'pg-pool has no asynchronous disposal; here `await using` ends the pool',
  },
  { case: 'client-lifecycle › a Pool without new', why: 'The class is called `Pool`, in the error too; pg makes a `BoundPool` of it.' },
  { case: 'parameters › 65,536 parameters: the count wraps to 0', why: 'More parameters than the protocol can count are refused here; pg sends the count modulo 65,536.' },
  { case: 'parameters › a value that cannot be sent, on a named statement', why: 'A value that cannot be sent leaves the statement usable; pg closes it on the server and still believes it is there.' },
  { case: 'prepared-names › unusual names', why: 'Statements may be called `constructor` or `__proto__`; pg takes the properties every object inherits for statements.' },
  { case: /^query-config › binary(, extended|, rowMode array|: bytes that are no UTF-8| for the whole client)$/, why: 'Binary values arrive as the server sent them; pg 8.23 decodes them as UTF-8 first and so spoils every byte above 127.' },
  { case: /^type-overrides › types (in the client config|per query)$/, why: 'A `types` object is also asked for the parsers of the types that the core decodes itself, to find out whether it may.' },
  { case: 'type-overrides › a parser set while queries are queued', why: 'Which types the core decodes is settled when a query is sent, not when its answer arrives.' },
  { case: 'type-overrides › a parser that throws, then an error of the server', why: 'Rows are parsed when the answer is whole: a query that the server has failed rejects with the error of the server.' },
  { case: 'client-events › a server that says two row descriptions without a command between', why: 'No PostgreSQL does this; the rows are read by the last description.' },
  { case: 'client-events › a server that says an error with the severity FATAL that leaves the connection', why: 'An error of severity FATAL ends the session at once; PostgreSQL sends nothing after it.' },
  { case: /^stray-messages › a message of no known type/, why: 'pg makes a DatabaseError of it, a class for what PostgreSQL says; here it is a plain Error with the same text.' },
  { case: 'loss-and-timeouts › idle client ended by somebody who kept it', why: 'The connection leaves the pool; pg gives it to the next caller, whose query fails.' },
]
