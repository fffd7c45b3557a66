/** The Rust addon's interface: everything that crosses to Rust is declared here, with the same names as in src/bridge. */

import { loadAddon } from './addon.js'

/** PEM texts of a fresh certificate authority and a server certificate signed by it. */
export interface ServerCertificate {
  ca: string
  certificate: string
  key: string
}

/** A parameter as it crosses: text, bytes or null. */
export type WireValue = string | Uint8Array | null

/** The place of `Environment.counts()` that says how many connections were begun for queries, ever, less those that failed. */
export const BEGUN = 9

/** One per JavaScript thread. Pools and requests are numbered here, connections in Rust. */
export interface Environment {
  drain(words: Int32Array): string[] | null
  takeWords(): Int32Array
  openPool(pool: number, options: string, variables: string, asNodePostgres: boolean): string
  query(pool: number, request: number, text: string, name: string | null, params: WireValue[] | null, flags: number): void
  checkout(pool: number, request: number): void
  openConnection(pool: number, request: number): void
  takeIdle(pool: number): number
  expire(pool: number, connection: number): boolean
  release(connection: number, destroy: boolean): boolean
  isLastUse(connection: number): boolean
  counts(pool: number): Int32Array | null
  prepareConnections(pool: number): void
  prepared(connection: number, error: number | null): void
  clientQuery(connection: number, request: number, text: string, name: string | null, params: WireValue[] | null, flags: number): void
  fetch(connection: number, request: number, step: 0 | 1 | 2, text: string, params: WireValue[] | null, rows: number, flags: number): void
  tunnel(connection: number, request: number): void
  tunnelWrite(connection: number, bytes: Uint8Array): void
  tunnelTaken(connection: number, bytes: number): void
  tunnelEnd(connection: number, named: string[]): void
  cancel(connection: number, request: number): void
  endPool(pool: number, request: number): void
  openClient(pool: number, request: number, options: string, variables: string): void
  closeClient(connection: number, atOnce: boolean): void
  token(request: number, options: string, variables: string, refresh: boolean): void
  databaseUrl(request: number, options: string, variables: string): void
  userName(request: number, options: string, variables: string): void
  settings(options: string, variables: string): string
  openProxy(proxy: number, request: number, options: string, variables: string, address: string, port: number, password: string | null): void
  closeProxy(proxy: number, request: number): void
  workspace(request: number, options: string, variables: string, path: string, token: boolean): void
  identity(options: string, variables: string): string
  answer(question: number, password: string | null, error: number | null): void
  clearTokens(pool: number): void
  observe(isObserved: boolean): void
}

interface Native {
  /** On how many connections, one after another, a query is tried that has not run on any of them. */
  MAX_QUERY_TRIES: number
  /** How many connections, one after another, may be lost while they are being prepared, before that is an error. */
  MAX_PREPARATIONS: number
  Environment: new (wake: () => void, longest: number) => Environment
  issueCertificate(names: string[]): ServerCertificate
  secretOptions(): string[]
  authenticationOptions(): string[]
}

export const native: Native = loadAddon() as Native
