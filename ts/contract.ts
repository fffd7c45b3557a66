/**
 * What Rust and TypeScript count on together. Written from src/batch by `LAKEBASE_WRITE_CONTRACT=1 cargo test contract`; that test fails while
 * the two differ.
 */

/** Kinds of a batch's frames. */
export const RESPONSE = 0
export const ERROR = 1
export const EVENT = 2
export const TUNNEL = 3
export const SENT = 4

/** Bits of a query's flags. The low six say which types may cross as something else than their text. */
export const EXTENDED = 256
export const BINARY = 512
export const GROW = 1024
export const ALL_DECODED = 63

/** Types whose values Rust decodes: the bit, and the type's OID. */
export const decoded = [
  [1, 21],
  [1, 23],
  [2, 16],
  [4, 700],
  [4, 701],
  [8, 26],
  [16, 1184],
  [32, 114],
  [32, 3802],
] as const

/** How a column crosses. */
export const enum Kind {
  Text = 0,
  Int = 1,
  Bool = 2,
  Double = 3,
  Timestamp = 4,
  Bytes = 5,
  Json = 6,
}

/** Command tags that cross as a number. */
export const commands = [
  'SELECT',
  'INSERT',
  'UPDATE',
  'DELETE',
  'BEGIN',
  'COMMIT',
  'ROLLBACK',
  'SET',
  'CREATE',
  'DROP',
  'ALTER',
  'SHOW',
  'MERGE',
  'START',
  'SAVEPOINT',
  'TRUNCATE',
] as const

/** Kinds of errors. */
export type ErrorKind =
  | 'configuration'
  | 'authentication'
  | 'credential'
  | 'connection'
  | 'connectionLost'
  | 'timeout'
  | 'checkoutTimeout'
  | 'database'
  | 'protocol'
  | 'result'
  | 'usage'
  | 'caller'
  | 'internal'

/** Events, and the names of what each tells. */
export interface EventFields {
  shape: 'fields' | 'kinds' | 'shape'
  forgetShapes: never
  connect: 'awaited' | 'connection' | 'notices' | 'own' | 'parameters' | 'pool' | 'processId' | 'secretKey'
  connecting: 'attempt' | 'pool'
  connectEnded: 'attempt' | 'connection' | 'error' | 'pool'
  end: 'connection' | 'error' | 'pool'
  error: 'connection' | 'error' | 'pool'
  notice: 'connection' | 'notice' | 'pool'
  notification: 'channel' | 'connection' | 'payload' | 'pool' | 'processId'
  retire: 'connection' | 'pool'
  password: 'pool' | 'question'
  identity: 'certificates' | 'name' | 'pool' | 'question'
  askProvider: 'function' | 'question'
  askIdToken: 'audience' | 'function' | 'question'
  askVariable: 'name' | 'question'
  warning: 'message'
  fetching: 'pool'
  fetchFailed: 'error' | 'pool'
  fetched: 'expiresAt' | 'method' | 'pool'
  located: 'database' | 'host' | 'pool' | 'schema' | 'user'
  opened: 'applicationName' | 'client' | 'database' | 'loginMillis' | 'peer' | 'pool' | 'processId' | 'user'
  refused: 'applicationName' | 'client' | 'database' | 'error' | 'peer' | 'pool' | 'user'
  closed: 'client' | 'lastedMillis' | 'pool' | 'received' | 'sent'
  canceled: 'client' | 'error' | 'pool'
  listening: 'database' | 'host' | 'port' | 'server' | 'user' | 'verified'
  workspace: 'body' | 'date' | 'expiresAt' | 'method' | 'token'
  checkout: 'connection'
  done: never
  token: 'expiresAt' | 'token'
  user: 'user'
  url: 'url'
}
