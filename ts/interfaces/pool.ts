/** What `@types/pg` declares of pools, and of clients in general, under its names. See query.ts. */

import type { EventEmitter } from 'node:events'
import type { Client } from '../client.js'
import type { PoolClient } from '../pool/pooled-connection.js'
import type { ClientConfig, ClientListener } from './client.js'

/** Options of a pool, with pg-pool's names, units and defaults. */
export interface PoolConfig extends ClientConfig {
  /** Connections at most. Default 10. */
  max?: number | undefined
  /** Connections kept when idle. Default 0. */
  min?: number | undefined
  /** Milliseconds after which an idle connection is closed. Default 10,000; 0 or null: never. */
  idleTimeoutMillis?: number | undefined | null
  /** Told what the pool does, in words. */
  log?: ((...messages: any[]) => void) | undefined
  /** The class of the promises that methods return. */
  Promise?: PromiseConstructorLike | undefined
  /** Let the process exit while connections lie idle. Default `false`. */
  allowExitOnIdle?: boolean | undefined
  /** Uses after which a connection is replaced. Default: unlimited. */
  maxUses?: number | undefined
  /** Age in seconds at which a connection is replaced. Default 0: unlimited. */
  maxLifetimeSeconds?: number | undefined
  /** This package's own: plain reads in flight per connection when all are busy. Default 64; 1: no pipelining. */
  maxPipeline?: number | undefined
  /** This package's own: writes share connections, too; what is behind one that waits for a lock waits with it. Default `false`. */
  pipelineWrites?: boolean | undefined
  /** A class derived from this package's `Client`. */
  Client?: (new () => ClientBase) | undefined
  /** Prepares a new connection before it is used for anything else. */
  onConnect?: ((client: ClientBase) => void) | undefined
  /** Accepts a new connection, or refuses it with an error, before its first caller gets it. */
  verify?: ((client: PoolClient, done: (err?: Error) => void) => void) | undefined
}

/** The options a pool has in force: `pool.options`. */
export interface PoolOptions extends Omit<PoolConfig, 'verify'> {
  max: number
  maxUses: number
  allowExitOnIdle: boolean
  maxLifetimeSeconds: number
  idleTimeoutMillis: number | null
  /** Declared for any client, so that a pool of this package can stand where node-postgres' is expected. */
  verify?: ((client: ClientBase, done: (err?: Error) => void) => void) | undefined
}

export interface Events extends EventEmitter {
  on(event: 'error', listener: (err: Error, client: Client) => void): this
}

/** Listener of a pool's event. */
export type PoolListener<E> = E extends 'error' | 'release' ? (err: Error, client: PoolClient) => void : (client: PoolClient) => void

/** What clients of both packages have in common. A type only: there is no class of this name. */
export interface ClientBase
  extends EventEmitter,
    Pick<
      Client,
      | 'query'
      | 'copyFrom'
      | 'copyTo'
      | 'pauseDrain'
      | 'resumeDrain'
      | 'escapeIdentifier'
      | 'escapeLiteral'
      | 'setTypeParser'
      | 'getTypeParser'
      | 'getTransactionStatus'
    > {
  connect(): Promise<ClientBase>
  connect(callback: ((err: Error) => void) | ((err: null, c: ClientBase) => void)): void
  on<E extends 'connect' | 'drain' | 'error' | 'notice' | 'notification' | 'end'>(event: E, listener: ClientListener<E>): this
}
