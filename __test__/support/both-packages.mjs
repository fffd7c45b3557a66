// One program of a package that requires `pg`: with node-postgres, and with our package in its place.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { after } from 'node:test'
import pg from 'pg'
import { pgPackage } from './pg-package.mjs'
import { postgres } from './postgres.mjs'
import { test } from './test.mjs'

/**
 * Starts a PostgreSQL for the file. The function it returns defines a test: `program` runs with each of the two, in a database of its own,
 * with a `require` that finds `packages`, node-postgres' options, and a client that watches; what it resolves with must be the same.
 */
export async function onBothPackages(...packages) {
  const server = await postgres({ host: '127.0.0.1' })
  after(() => server.stop())
  const address = { host: server.host, port: server.port, user: server.superuser }
  const sides = { pg: createRequire(import.meta.url), ours: pgPackage(...packages) }
  assert.notEqual(sides.pg.resolve('pg'), sides.ours.resolve('pg'))
  let databases = 0

  async function runOn(side, program) {
    const database = `app_${side}_${++databases}`
    const creator = new pg.Client({ ...address, database: 'postgres' })
    await creator.connect()
    await creator.query(`create database ${database}`)
    await creator.end()
    const admin = new pg.Client({ ...address, database })
    await admin.connect()
    try {
      return await program({ require: sides[side], config: { ...address, database }, admin })
    } finally {
      await admin.end()
    }
  }

  return (name, program) => {
    test(name, async () => {
      const theirs = await runOn('pg', program)
      assert.deepEqual(await runOn('ours', program), theirs)
      // Something was seen, with either.
      assert.ok(Object.keys(theirs).length > 0)
    })
  }
}

/** Ends every other connection to the database of `admin`. */
export function endConnections(admin) {
  return admin.query('select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()')
}
