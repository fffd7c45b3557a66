// Pools and clients of this package, where code written for node-postgres expects its own.
import { createLakebasePool, LakebasePool, Pool } from 'lakebase-native'
import * as ours from 'lakebase-native/pg'
import type * as pg from 'pg'
import Cursor from 'pg-cursor'

const lakebase = createLakebasePool({ max: 2 })
export const pool: pg.Pool = lakebase
export const plain: pg.Pool = new Pool()
export const made: (new () => pg.Pool)[] = [Pool, ours.Pool, LakebasePool]
export const client: pg.Client = new ours.Client()
export const base: pg.ClientBase = client
export const query: pg.Submittable = new ours.Query('select 1')
export const typed: pg.Query = new ours.Query('select 1')
export const options: pg.PoolOptions & pg.PoolConfig & pg.ClientConfig = lakebase.options
export const overrides: pg.TypeOverrides = new ours.TypeOverrides()
export const parsers: pg.CustomTypesConfig = ours.types
export const result: pg.Result = new ours.Result()
export const builder: pg.ResultBuilder = new ours.Result()
export const defaults: pg.Defaults & pg.ClientConfig = ours.defaults
export const failure: pg.DatabaseError = new ours.DatabaseError('no', 2, 'error')
export const quote: typeof pg.escapeLiteral = ours.escapeLiteral
export const registry: Pick<typeof pg.types, 'builtins' | 'setTypeParser' | 'getTypeParser' | 'arrayParser'> = ours.types

// What a pool does with a new connection.
export const prepared = createLakebasePool({ onConnect: (held) => held.query('set role app'), verify: (held, done) => done(held.processID ? undefined : new Error('nobody')) })

/** What a library for node-postgres declares. */
async function library(db: pg.Pool | pg.Client | pg.PoolClient): Promise<pg.QueryResult<{ n: number }>> {
  return db.query<{ n: number }>('select 1 as n')
}

export async function use(): Promise<void> {
  const held: pg.PoolClient = await lakebase.connect()
  const both: (pg.ClientBase & pg.Client)[] = [held]
  const cursor: Cursor<{ n: number }> = (await lakebase.connect()).query(new Cursor<{ n: number }>('select 1 as n'))
  const rows: { n: number }[] = (await library(lakebase)).rows
  await lakebase.transaction(async (inside) => library(inside))
  console.log(both, cursor, rows)
}

// Options written for node-postgres.
const config: pg.PoolConfig = { max: 2, ssl: { rejectUnauthorized: false }, onConnect: (prepared) => void prepared.query('select 1') }
export const configured = new ours.Pool(config)
export const listening = (message: pg.Notification) => new ours.Client().on('notification', (own: ours.Notification) => own === message)
