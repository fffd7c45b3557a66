// Every name of the module, as a value or as a type.
import * as pg from 'pg'
import {
  Client,
  DatabaseError,
  defaults,
  escapeIdentifier,
  escapeLiteral,
  native,
  Pool,
  Query,
  Result,
  TypeOverrides,
  types,
  type BindConfig,
  type ClientBase,
  type ClientConfig,
  type Connection,
  type ConnectionConfig,
  type CustomTypesConfig,
  type Defaults,
  type Events,
  type ExecuteConfig,
  type FieldDef,
  type MessageConfig,
  type Notification,
  type PoolClient,
  type PoolConfig,
  type PoolOptions,
  type QueryArrayConfig,
  type QueryArrayResult,
  type QueryConfig,
  type QueryConfigValues,
  type QueryParse,
  type QueryResult,
  type QueryResultBase,
  type QueryResultRow,
  type ResultBuilder,
  type Submittable,
  type TransactionStatus,
} from 'pg'

export const values: [typeof pg.Client, typeof pg.Pool, typeof pg.Query] = [Client, Pool, Query]
export const quoted: string = escapeIdentifier('a') + escapeLiteral('b')
export const sameModule: typeof pg = native ?? pg
export const NativePool: typeof Pool = pg.native?.Pool ?? Pool
export const result: QueryResult<{ n: number }> = new Result<{ n: number }>('array', types)
export const overrides: CustomTypesConfig = new TypeOverrides({ getTypeParser: types.getTypeParser })
export const failure: Error = new DatabaseError('no', 2, 'error')
export const settings: Defaults & ClientConfig = defaults
export const connection: ConnectionConfig = { host: 'localhost', port: 5432, keepAlive: true, enableChannelBinding: true, stream: () => undefined }
export const pool: PoolConfig = {
  ...connection,
  Promise,
  query_timeout: 1_000,
  lock_timeout: 1_000,
  idle_in_transaction_session_timeout: 1_000,
  sslnegotiation: 'direct',
  fallback_application_name: 'app',
  client_encoding: 'utf8',
  options: '-c search_path=app',
  keepAliveInitialDelayMillis: 10,
  connectionTimeoutMillis: 100,
  pipeline: false,
  password: () => 'secret',
}
export const port: number | undefined = pool.port
export const base: QueryResultBase = { command: 'SELECT', rowCount: null, oid: 0, fields: [] }
export const field: FieldDef = {
  name: 'n',
  tableID: 0,
  columnID: 0,
  dataTypeID: 23,
  dataTypeSize: 4,
  dataTypeModifier: -1,
  format: 'text',
}
export const config: QueryConfig<[number]> = { text: 'select $1', values: [1] }
export const arrays: QueryArrayConfig<QueryConfigValues<[number]>> = { ...config, rowMode: 'array' }
export const arrayResult: QueryArrayResult<[number]> = { ...base, rows: [[1]] }
export const message: [BindConfig, ExecuteConfig, MessageConfig, QueryParse] = [
  { portal: '', values: [null, 'a', Buffer.of(1)], valueMapper: (value: number, index) => value + index },
  { portal: '', rows: '1' },
  { type: 'S' },
  { name: '', text: '', types: [] },
]
export function builder(rows: ResultBuilder<QueryResultRow>, status: TransactionStatus): TransactionStatus {
  rows.addRow({ n: 1 })
  return status ?? 'I'
}
export function speak(wire: Connection, submittable: Submittable): void {
  wire.parse(message[3], true)
  wire.bind(message[0], true)
  wire.describe({ type: 'P', name: '' }, true)
  wire.execute(null, true)
  wire.close({ type: 'P' }, true)
  wire.flush()
  wire.end()
  submittable.submit(wire)
}
export function hear(events: Events, notification: Notification): string | undefined {
  events.on('error', (error, client) => console.error(error.message, client.database))
  return notification.payload
}
export async function options(client: PoolClient, given: PoolOptions): Promise<ClientBase> {
  const size: number = given.max + given.maxUses + given.maxLifetimeSeconds + (given.idleTimeoutMillis ?? 0)
  const text: string | undefined = client.user ?? client.database ?? client.password
  console.log(size, text, client.host.length, client.port.toFixed(), client.ssl, client.pipeline)
  return client.connect()
}
